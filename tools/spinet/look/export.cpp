// spinet export
#include "look/export.hpp"

#include <fmt/core.h>

#include "commands.hpp"
#include "look/isolated.hpp"
#include "look/output.hpp"
#include "network/estimate.hpp"
#include "outputs.hpp"

namespace spinet::tool {
namespace fs = std::filesystem;
namespace {

struct ExportOptions {
  std::string log, format, output;
  bool force = false;
};

void say_what_is_missing(const LogData& data) {
  if (!data.summary().warning.empty()) fmt::print(stderr, "Warning: {}\n", data.summary().warning);
}

/// The file, or the folder of tables.
fs::path output_of(const ExportOptions& o) {
  if (!o.output.empty()) return named(o.output);
  return o.format == "nwb" ? fs::path(o.log).replace_extension(".nwb")
                           : fs::path(fs::path(o.log).replace_extension().string() + "_csv");
}

int make_export(const ExportOptions& o) {
  if (o.format == "nwb") {
    const auto file = output_of(o);
    check_output(file, o.force, inputs_of_log(o.log));
    const auto lock = lock_output(file);
    const LogData data(o.log);
    say_what_is_missing(data);
    look::export_nwb(data, file);
    fmt::print("{}  {}\n", file.string(), readable_bytes(static_cast<double>(fs::file_size(file))));
    return fine;
  }
  const auto folder = output_of(o);
  const LogData data(o.log);
  say_what_is_missing(data);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!fs::is_directory(folder))
    throw UserError(
        fmt::format("{}: cannot be made a folder{}", folder.string(), failed ? ": " + failed.message() : ""));
  const auto lock = lock_output(folder);
  for (const auto& path : look::export_csv(data, folder, o.force))
    fmt::print("{}  {}\n", path.string(), readable_bytes(static_cast<double>(fs::file_size(path))));
  return fine;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("export", "Write a log's data as CSV tables or as an NWB file");
  auto o = std::make_shared<ExportOptions>();
  sub->add_option("OUT.h5", o->log, "The log")->required();
  sub->add_option("--to", o->format, "csv: a folder of tables; nwb: one NWB 2 file")
      ->required()
      ->check(CLI::IsMember({"csv", "nwb"}))
      ->type_name("csv|nwb");
  sub->add_option("-o,--output", o->output, "Where to (csv: OUT_csv, nwb: OUT.nwb, beside the log)")
      ->type_name("DIR_OR_FILE");
  sub->add_flag("--force", o->force, "Replace existing files");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->log);
      return look::isolated(o->log, {output_of(*o)}, [&] { return make_export(*o); });
    };
  });
}

}  // namespace spinet::tool
