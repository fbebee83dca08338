#include "nir/text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "network/printable.hpp"

namespace spinet::nir {

std::string time_text(std::int64_t ns) {
  if (ns % 1'000'000'000 == 0) return fmt::format("{} s", ns / 1'000'000'000);
  return fmt::format("{} ms", static_cast<double>(ns) / 1e6);
}

namespace {

std::string number_text(double x, const std::string& unit) {
  return unit == "1" ? fmt::format("{}", x) : fmt::format("{} {}", x, unit);
}

std::string quoted(const std::string& text) {
  std::string q = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') q += '\\';
    q += c;
  }
  return q + '"';
}

std::string params_text(const PopulationDraft& p) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, value);
  };
  for (const auto& s : p.settings) {
    if (s.from == Setting::From::sum && s.values == std::vector<double>{0}) continue;
    std::string list;
    for (const double x : s.values) list += (list.empty() ? "" : ", ") + number_text(x, s.unit);
    add(s.name, s.values.size() == 1 ? list : "[" + list + "]");
  }
  for (const auto& [name, value] : p.choices) add(name, value);
  return text;
}

std::string population_text(const Draft& d, const PopulationDraft& p, const std::string& spikes) {
  const Vertex& v = d.vertices[p.vertex];
  std::string text = fmt::format("  # {} {}, shape {}\n  {}: {{model: {}, size: {}", v.node->type, v.path,
                                 text_of(v.out), p.name, p.model, p.size);
  if (p.model == "spike_source") text += ", spikes: " + (spikes.empty() ? "{}" : quoted(spikes));
  const auto params = params_text(p);
  if (!params.empty()) text += fmt::format(", params: {{{}}}", params);
  return text + "}\n";
}

std::string projection_text(const Draft& d, const ProjectionDraft& p, const Reading& reading,
                            const std::string& beside) {
  return fmt::format(
      "  {}: {{from: {}, to: {}, connect: {{sonata: {}}}, synapse: {{model: static, port: {}{}}}}}\n", p.name,
      d.populations[p.source].name, d.populations[p.target].name, quoted(beside), p.port,
      p.lists_delays ? "" : ", delay: " + time_text(reading.delay));
}

std::string record_text(const Draft& d, const Reading& reading) {
  std::string spikes, reports;
  std::vector<std::uint32_t> done;
  for (const auto& o : d.outputs) {
    if (std::count(done.begin(), done.end(), o.population)) continue;
    done.push_back(o.population);
    const auto& p = d.populations[o.population];
    if (o.spikes) spikes += (spikes.empty() ? "" : ", ") + p.name;
    const auto report = [&](const char* variable) {
      reports += fmt::format("    - {{population: {}, variable: {}, every: {}}}\n", p.name, variable,
                             time_text(reading.delay));
    };
    if (!o.spikes && p.model == "step_signal") report("answer");
    else if (!o.spikes) report("V");
    if (!o.spikes && d.vertices[p.vertex].kind == Kind::output) report("drive");
  }
  std::string text;
  if (!spikes.empty()) text += fmt::format("  spikes: [{}]\n", spikes);
  if (!reports.empty()) text += "  reports:\n" + reports;
  return text.empty() ? "" : "record:\n" + text;
}

std::string input_names(const Draft& d) {
  std::string names;
  for (const auto& p : d.populations)
    if (d.vertices[p.vertex].kind == Kind::input) names += (names.empty() ? "" : ", ") + p.name;
  return names;
}

std::string schedule_text(const Draft& d, const Reading& reading, const std::string& file) {
  if (!reading.current) return {};
  std::string text = file.empty() ? "" : "schedule:\n";
  for (const auto& p : d.populations) {
    if (d.vertices[p.vertex].kind != Kind::input) continue;
    const auto line = fmt::format(
        "  - {{at: 0 s, set: {{{}: {{value: {{waveform: {{csv: {{file: {}, between: "
        "steps}}}}}}}}}}}}\n",
        p.name, quoted(file.empty() ? "input.csv" : file));
    text += file.empty() ? "# input, of each element or of all (columns time, value):\n# schedule:\n#" + line
                         : line;
  }
  return text;
}

}  // namespace

std::vector<std::string> reading_lines(const Draft& d, const Reading& reading) {
  std::vector<std::string> lines;
  if (reading.spike == 0)
    lines.push_back(
        fmt::format("--spike dirac --area {}: a spike is an impulse of that area A, so a weight w moves v by "
                    "r w A / tau (IF: r w A, CubaLIF: its current by w_in w A / tau_syn), times in s",
                    time_text(reading.area)));
  else
    lines.push_back(
        fmt::format("--spike {}: a spike is 1 for that long: a weight w is a current w for as long",
                    time_text(reading.spike)));
  if (reading.current)
    lines.emplace_back("--input current: Input is a current that is constant between changes");
  else lines.emplace_back("--input spikes: Input gets spikes, as others");
  if (reading.euler == 0) lines.emplace_back("time constants are those of the equations, in seconds");
  else
    lines.push_back(
        fmt::format("--euler {}: time constants are those of steps of the Euler method; here they are "
                    "-dt / ln(1 - dt / tau)",
                    time_text(reading.euler)));
  bool is_given = false, is_missing = false;
  for (const auto& v : d.vertices)
    if (v.node->find("v_threshold")) (v.node->find("v_reset") ? is_given : is_missing) = true;
  const std::string reset = is_given && is_missing ? "v_reset, 0 where the file has none"
                            : is_given             ? "v_reset"
                                                   : "0";
  if (is_given || is_missing)
    lines.push_back(
        reading.by_subtraction
            ? fmt::format("--reset subtract: a spike takes v_threshold - v_reset from v (v_reset: {})", reset)
            : fmt::format("--reset value: a spike takes v to {}", reset));
  lines.push_back(
      fmt::format("--delay {}: every connection between populations takes that long, and what Delay "
                  "nodes say; a graph has no delays of its own",
                  time_text(reading.delay)));
  lines.emplace_back(
      "v and synaptic currents begin at 0; 1 of v is 1 mV, 1 of the input is 1 pA (impulses: 1 pC), 1 of r "
      "is 1 GOhm");
  for (const auto& v : d.vertices)
    if (v.kind == Kind::average_pool && v.node->find("padding")->numbers != std::vector<double>{0, 0}) {
      lines.emplace_back("AvgPool2d counts the zeros of its padding");
      break;
    }
  return lines;
}

std::string populations_text(const Draft& d, const Reading& reading) {
  std::string text = fmt::format("spinet: 1\nduration: 1 s\ndelay_resolution: {}\npopulations:\n",
                                 time_text(delay_resolution(d, reading)));
  for (const auto& p : d.populations) text += population_text(d, p, "");
  return text;
}

std::string network_text(const Draft& d, const Reading& reading, const Purpose& purpose) {
  std::string text = fmt::format(
      "# {}{}, imported by spinet import. Connections, and the graph for `spinet export --to nir`: {}\n"
      "# What the file leaves open was read so:\n",
      printable_line(purpose.file), purpose.version.empty() ? "" : " (NIR " + purpose.version + ")",
      printable_line(purpose.beside));
  for (const auto& line : reading_lines(d, reading)) text += "# - " + line + "\n";
  for (const auto& o : d.outputs)
    text += fmt::format("# Output {}: {} of {}\n", d.vertices[o.vertex].path, o.spikes ? "spikes" : "values",
                        d.populations[o.population].name);
  text += fmt::format("spinet: 1\nname: {}\nduration: 1 s\ndelay_resolution: {}\n", quoted(purpose.name),
                      time_text(delay_resolution(d, reading)));
  if (!reading.current && purpose.spikes.empty() && !input_names(d).empty())
    text += fmt::format("# input: spikes of {}, a list or a CSV file of neuron,time\n", input_names(d));
  text += "populations:\n";
  for (const auto& p : d.populations) text += population_text(d, p, purpose.spikes);
  if (!d.projections.empty()) text += "projections:\n";
  for (const auto& p : d.projections) text += projection_text(d, p, reading, purpose.beside);
  return text + schedule_text(d, reading, purpose.current) + record_text(d, reading);
}

}  // namespace spinet::nir
