#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "commands.hpp"
#include "look/analysis.hpp"
#include "look/export.hpp"
#include "look/output.hpp"
#include "outputs.hpp"

namespace spinet::look {
namespace {

namespace fs = std::filesystem;

/// Letters of a file's name: a damaged or foreign log may name anything.
std::string file_name(const std::string& kind, const std::string& name) {
  std::string out = kind + "_";
  for (const char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' ? c : '_';
  return out + ".csv";
}

/// Text on its way to a file, in large pieces.
class Lines {
 public:
  explicit Lines(std::FILE* out) : out_(out) {}
  ~Lines() { flush(); }
  template <class... T>
  void add(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<T>(values)...);
    if (buffer_.size() > (1 << 20)) flush();
  }

 private:
  void flush() {
    std::fwrite(buffer_.data(), 1, buffer_.size(), out_);
    buffer_.clear();
  }
  std::FILE* out_;
  fmt::memory_buffer buffer_;
};

/// What the network made of images, if it was shown any.
std::optional<LoggedImages> images_of(const LogData& data) {
  auto images = data.images();
  if (images && !images->problem.empty())
    throw LogError(data.summary().path,
                   fmt::format("what was made of images cannot be read: {}", images->problem));
  return images;
}

/// A row for each image: what it is, what the network made of it, and what that took.
void image_rows(const LogData& data, const LoggedImages& images, Lines& out) {
  const ImageResults& r = images.results;
  out.add("image,label,predicted,right");
  for (std::uint32_t c = 0; c < r.classes; ++c) out.add(",output_{}", c);
  for (const auto& l : r.layers) out.add(",spikes_{0},events_{0}", l.population);
  for (const auto& e : r.energies) out.add(",energy_{}_nJ", e.projection);
  out.add("\n");
  std::vector<float> outputs;
  for (std::size_t i = 0; i < r.numbers.size(); ++i) {
    data.read(images, {i, 1, 0, r.classes}, outputs);
    out.add("{},{},{},{}", r.numbers[i], r.labels[i], r.predicted[i], int{r.labels[i] == r.predicted[i]});
    for (const float x : outputs) out.add(",{}", x);
    for (const auto& l : r.layers) out.add(",{},{}", l.spikes[i], l.events[i]);
    for (const auto& e : r.energies) out.add(",{}", e.nJ[i]);
    out.add("\n");
  }
}

}  // namespace

std::vector<fs::path> export_csv(const LogData& data, const fs::path& folder, Replace replace) {
  const auto& log = data.summary();
  std::vector<fs::path> written;
  const auto write = [&](const std::string& kind, const std::string& name, const auto& content) {
    const auto path = folder / file_name(kind, name);
    tool::check_output(path, replace, tool::inputs_of_log(log.path));
    replace_file(path, [&](std::FILE* out) {
      Lines lines(out);
      content(lines);
    });
    written.push_back(path);
  };

  for (const auto& p : recorded_populations(log))
    write("spikes", p.name, [&](Lines& out) {
      out.add("time_ms,neuron\n");
      data.spikes(p, [&](const SpikePiece& piece) {
        for (std::size_t i = 0; i < piece.ticks.size(); ++i)
          out.add("{},{}\n", static_cast<double>(piece.ticks[i]) / log.ticks_per_ms, piece.nodes[i]);
      });
    });
  std::vector<float> values;
  for (const auto& r : log.reports)
    write("report", r.name, [&](Lines& out) {
      const auto nodes = data.report_nodes(r);
      out.add("time_ms");
      for (const auto n : nodes) out.add(",neuron_{}", n);
      out.add("\n");
      const std::uint64_t together =
          std::max<std::uint64_t>(1, (1 << 22) / std::max<std::uint64_t>(1, r.ids));
      for (std::uint64_t first = 0; first < r.frames; first += together) {
        const auto count = std::min(together, r.frames - first);
        data.read(r, {first, count, 0, r.ids}, values);
        for (std::uint64_t f = 0; f < count; ++f) {
          out.add("{}", r.start_ms + static_cast<double>(first + f) * r.step_ms);
          for (std::uint64_t i = 0; i < r.ids; ++i) out.add(",{}", values[f * r.ids + i]);
          out.add("\n");
        }
      }
    });
  for (const auto& w : data.weights()) {
    if (!w.problem.empty())
      throw LogError(log.path, fmt::format("the weights of {} cannot be read: {}", w.name, w.problem));
    write("weights", w.name, [&](Lines& out) {
      const auto mapping = data.mapping(w);
      out.add("time_ms,edge,source,target,weight\n");
      for (std::uint64_t frame = 0; frame < w.frames; ++frame) {
        data.read(w, {frame, 1, 0, w.edges}, values);
        for (std::uint64_t e = 0; e < w.edges; ++e)
          out.add("{},{},{},{},{}\n", w.start_ms + static_cast<double>(frame) * w.step_ms, e,
                  mapping.sources[e], mapping.targets[e], values[e]);
      }
    });
  }
  for (const auto& e : data.weight_events()) {
    if (!e.problem.empty())
      throw LogError(log.path, fmt::format("the weight changes of {} cannot be read: {}", e.name, e.problem));
    write("weight_events", e.name, [&](Lines& out) {
      const auto all = data.read(e);
      out.add("time_ms,edge,weight\n");
      for (std::size_t i = 0; i < all.ms.size(); ++i)
        out.add("{},{},{}\n", all.ms[i], all.edges[i], all.values[i]);
    });
  }
  if (const auto images = images_of(data))
    write("images", images->results.environment, [&](Lines& out) { image_rows(data, *images, out); });
  return written;
}

}  // namespace spinet::look
