// spinet report
#include <fmt/core.h>

#include <fstream>
#include <system_error>

#include "commands.hpp"
#include "log/model_file.hpp"
#include "look/isolated.hpp"
#include "look/output.hpp"
#include "look/page.hpp"
#include "look/pictures.hpp"
#include "look/training.hpp"
#include "network/estimate.hpp"
#include "network/printable.hpp"
#include "outputs.hpp"

namespace spinet::tool {
namespace {

/// Was the file made by this command?
bool begins_with(const std::filesystem::path& path, std::string_view mark) {
  std::ifstream in(path, std::ios::binary);
  std::string begin(mark.size(), '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return in && begin == mark;
}

void say_warnings(const look::Analysis& analysis) {
  for (const auto& w : analysis.warnings)
    if (w.serious) fmt::print("Warning: {}\n", printable_line(w.text));
}

/// The figures, after the warnings about what they show.
std::vector<look::Picture> figures_of(const std::string& log) {
  if (is_model(log)) return look::training_pictures(log);
  // Cells and points of time as fine as a picture of this size can show.
  const auto analysis = look::analyse(log, {.rate_bins = 320, .columns = 320, .rows = 140, .points = 60'000});
  say_warnings(analysis);
  return look::pictures_of(analysis);
}

int make_figures(const std::string& log, const std::filesystem::path& folder, bool force) {
  const auto pictures = figures_of(log);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (!failed && !std::filesystem::is_directory(folder))
    failed = std::make_error_code(std::errc::not_a_directory);
  if (failed) throw UserError(fmt::format("{}: cannot be made: {}", folder.string(), failed.message()));
  const auto lock = lock_output(folder);
  for (const auto& p : pictures) {
    const auto file = folder / p.name;
    const bool ours = force || begins_with(file, look::picture_mark);
    if (!ours && std::filesystem::is_regular_file(file) && !std::filesystem::is_symlink(file))
      throw UserError(
          fmt::format("{}: exists already and is no figure of Spinet; give another folder with --figures, or "
                      "--force to replace it",
                      file.string()));
    check_output(file, Replace{ours}, inputs_of_log(log));
  }
  for (const auto& p : pictures)
    look::replace_file(folder / p.name,
                       [&](std::FILE* out) { std::fwrite(p.svg.data(), 1, p.svg.size(), out); });
  for (const auto& p : pictures)
    fmt::print("{}  {}\n", (folder / p.name).string(), readable_bytes(static_cast<double>(p.svg.size())));
  if (pictures.empty()) fmt::print("{}: there is nothing to draw\n", log);
  return fine;
}

/// Takes the lock of a page that may be written; what it says is read under it.
void write_page(const std::string& log, const std::string& output, Replace replace,
                const std::function<std::string()>& page_of) {
  check_output(output, replace == Replace::yes ? replace : Replace{begins_with(output, look::page_mark)},
               inputs_of_log(log));
  const auto lock = lock_output(output);
  const auto page = page_of();
  look::replace_file(output, [&](std::FILE* out) { std::fwrite(page.data(), 1, page.size(), out); });
}

int make_report(const std::string& log, const std::string& output, bool force) {
  if (is_model(log)) look::write_training_page(log, output, Replace{force});
  else
    write_page(log, output, Replace{force}, [&] {
      const auto analysis = look::analyse(log, {});
      say_warnings(analysis);
      return look::page_of(analysis);
    });
  std::error_code ignored;
  fmt::print("{}  {}\n", output,
             readable_bytes(static_cast<double>(std::filesystem::file_size(output, ignored))));
  return fine;
}

}  // namespace
}  // namespace spinet::tool

void spinet::look::write_training_page(const std::filesystem::path& model, const std::filesystem::path& page,
                                       Replace replace) {
  tool::write_page(model.string(), page.string(), replace, [&] { return training_page(model); });
}

namespace spinet::tool {

void add_report(CLI::App& app, Action& action) {
  struct Options {
    std::string log, output, figures;
    bool force = false;
  };
  auto* sub = app.add_subcommand("report", "Write the figures of a run, or of a training, to one HTML file");
  auto o = std::make_shared<Options>();
  sub->add_option("OUT.h5", o->log, "The log, or the model of `spinet train`")->required();
  sub->add_option("-o,--output", o->output,
                  "The report to write (OUT.html beside the log); an older report is replaced")
      ->type_name("FILE.html");
  sub->add_option("--figures", o->figures,
                  "Write every figure as an SVG file into this folder; no HTML file unless -o is given")
      ->type_name("DIR");
  sub->add_flag("--force", o->force, "Replace any existing file");
  sub->footer(
      "The file needs no network and no other file.\nExit codes: 0 fine, 2 the input is wrong, 3 the report "
      "could not be made.");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->log);
      std::vector<std::filesystem::path> outputs;
      if (o->figures.empty() && o->output.empty())
        o->output = std::filesystem::path(o->log).replace_extension(".html").string();
      if (!o->output.empty()) outputs.push_back(o->output);
      if (!o->figures.empty()) outputs.push_back(named(o->figures));
      return look::isolated(o->log, outputs, [&] {
        if (!o->figures.empty()) make_figures(o->log, named(o->figures), o->force);
        return o->output.empty() ? fine : make_report(o->log, o->output, o->force);
      });
    };
  });
}

}  // namespace spinet::tool
