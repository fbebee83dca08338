// spinet report
#include <fmt/core.h>

#include <fstream>

#include "commands.hpp"
#include "look/isolated.hpp"
#include "look/output.hpp"
#include "look/page.hpp"
#include "outputs.hpp"
#include "network/estimate.hpp"
#include "network/printable.hpp"

namespace spinet::tool {
namespace {

bool is_report(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string begin(std::string_view(look::page_mark).size(), '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return in && begin == look::page_mark;
}

int make_report(const std::string& log, std::string output, bool force) {
  if (output.empty()) output = std::filesystem::path(log).replace_extension(".html").string();
  check_output(output, force || is_report(output), inputs_of_log(log));
  const auto lock = lock_output(output);
  const auto analysis = look::analyse(log, {});
  const auto page = look::page_of(analysis);
  look::replace_file(output, [&](std::FILE* out) { std::fwrite(page.data(), 1, page.size(), out); });
  for (const auto& w : analysis.warnings)
    if (w.serious) fmt::print("Warning: {}\n", printable_line(w.text));
  fmt::print("{}  {}\n", output, readable_bytes(static_cast<double>(page.size())));
  return fine;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  struct Options {
    std::string log, output;
    bool force = false;
  };
  auto* sub = app.add_subcommand("report", "Write a run's figures to one HTML file");
  auto o = std::make_shared<Options>();
  sub->add_option("OUT.h5", o->log, "The log")->required();
  sub->add_option("-o,--output", o->output, "The report to write (OUT.html beside the log); an older report is replaced")->type_name("FILE.html");
  sub->add_flag("--force", o->force, "Replace any existing file");
  sub->footer("The file needs no network and no other file.\nExit codes: 0 fine, 2 the input is wrong, 3 the report could not be made.");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->log);
      return look::isolated(o->log, [&] { return make_report(o->log, o->output, o->force); });
    };
  });
}

}  // namespace spinet::tool
