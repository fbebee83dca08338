#include "network/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>

#include "network/check.hpp"
#include "network/description.hpp"
#include "network/estimate.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace reading {
namespace {

constexpr std::uint64_t largest_text = 16 << 20;

constexpr Key network_entry_keys[] = {
    {"spinet", true, "version", "version of the format: 1"},
    {"name", false, "name", "name of the network; that of its file if not given"},
    {"description", false, "text", "what it shows, for people"},
    {"seed", false, "integer", "of all random numbers (1)"},
    {"duration", true, "quantity", "model time to run"},
    {"time_resolution", false, "quantity", "length of a tick (1 ns)"},
    {"delay_resolution", false, "quantity", "delays are multiples of it (0.1 ms)"},
    {"block", false, "integer", "neurons per unit of partition (256); has no effect on results"},
    {"partition", false, "name",
     "who simulates what: cost (equal work), round_robin or graph; has no effect on results"},
    {"parameters", false, "parameters", "named values for `$name` and `=expression`"},
    {"populations", true, "population_map", "populations by name"},
    {"projections", false, "projection_map", "projections by name"},
    {"schedule", false, "schedule_list", "what changes during the run"},
    {"until", false, "text", "a condition that ends the run: reward_filtered >= 0.975"},
    {"record", false, "record", "what is logged"},
    {"training", false, "training", "how layers are trained"},
    {"devices", false, "devices", "how devices are read that trained weights have been written onto"},
};

bool plain_name(std::string_view s) {
  return !s.empty() && s.size() <= 128 && std::all_of(s.begin(), s.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == ' ';
  });
}

/// Puts one override into the tree.
void override_value(Reader& r, Node& root, const char* option, const std::string& path,
                    const std::string& value) {
  const auto text = r.texts.add(option, path + "=" + value);
  const auto part_mark = [&](std::size_t at, std::size_t length) {
    return Mark{text, 1, static_cast<std::uint32_t>(at + 1),
                static_cast<std::uint32_t>(std::max<std::size_t>(1, length))};
  };
  auto parsed = parse_value(r.texts, text, path.size() + 1, r.errors);
  if (!parsed && !r.errors.empty()) return;
  if (!parsed || parsed->kind == Node::Kind::null) {
    r.errors.error(part_mark(path.size(), 1), fmt::format("no value for {}", in_quotes(path)));
    return;
  }
  Node* at = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const bool last = end == path.size();
    if (at->is_list()) {
      std::size_t i = 0;
      const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), i);
      if (error != std::errc{} || stop != part.data() + part.size() || i >= at->items.size()) {
        r.errors.error(part_mark(begin, part.size()),
                       fmt::format("{} is no item of a list of {}", in_quotes(part), at->items.size()),
                       "items are counted from 0");
        return;
      }
      at = &at->items[i];
    } else if (Node* next = at->find(part)) {
      at = next;
    } else {
      // A key that the file leaves out may be given, and is checked like the others; names that the network
      // defines must be there, since a misspelt one would do nothing.
      std::vector<std::string> known;
      if (at == &root) known = names(network_entry_keys);
      else
        for (const auto& k : at->keys) known.push_back(k.name);
      const std::string parent = path.substr(0, begin > 0 ? begin - 1 : 0);
      const bool defined = parent == "parameters" || parent == "populations" || parent == "projections";
      const bool allowed = at == &root ? std::count(known.begin(), known.end(), part) > 0
                                       : !defined && (at->is_map() || at->kind == Node::Kind::null);
      if (!allowed || part.empty()) {
        r.errors.error(part_mark(begin, part.size()),
                       fmt::format("the network has no {}", in_quotes(path.substr(0, end))),
                       at->is_map() ? suggest(part, known, "there are") : std::string{});
        return;
      }
      at->kind = Node::Kind::map;
      at->keys.push_back({part, part_mark(begin, part.size())});
      at->items.emplace_back();
      at = &at->items.back();
    }
    if (last) break;
    begin = end + 1;
  }
  *at = std::move(*parsed);
}

/// What a network is called, and what random numbers and ranks are keyed by.
void load_identity(Loading& l, const Node& root) {
  Reader& r = l.read;
  Network& net = l.net;
  if (const Node* n = root.find("name"))
    if (const auto s = r.text(*n, "name")) {
      if (!plain_name(*s))
        r.errors.error(n->mark, fmt::format("{} is no name for a network", in_quotes(*s)),
                       "letters, digits, spaces, '_', '-' and '.'");
      net.name = *s;
    }
  if (const Node* n = root.find("description")) r.text(*n, "description");
  if (const Node* n = root.find("seed"))
    net.seed = static_cast<std::uint32_t>(r.integer(*n, "seed", 0, 0xFFFFFFFFu).value_or(1));
  if (const Node* n = root.find("block"))
    net.block = static_cast<std::uint32_t>(r.integer(*n, "block", 1, 65536).value_or(256));
  if (const Node* n = root.find("partition"))
    if (const auto s = r.text(*n, "partition")) {
      static const std::vector<std::string> ways{"cost", "round_robin", "graph"};  // in the order of Sharing
      const auto at = std::find(ways.begin(), ways.end(), *s);
      if (at == ways.end())
        r.errors.error(n->mark, fmt::format("unknown partition {}", in_quotes(*s)),
                       suggest(*s, ways, "partitions"));
      else net.partition = static_cast<Sharing>(at - ways.begin());
    }
}

/// Ticks, steps of delays, and the end of the run.
void load_times(Loading& l, const Node& root) {
  Reader& r = l.read;
  Network& net = l.net;
  if (const Node* n = root.find("time_resolution")) {
    const auto ms = r.number(*n, {"time_resolution", "ms", 1e-12, 1});  // 1 fs to 1 ms
    if (ms) r.tick = *r.quantity(*n, "time_resolution");
  }
  net.seconds_per_tick = r.tick.si();
  const double step = r.ticks({100, -6, {}});  // 0.1 ms
  net.delay_resolution = std::max<Tick>(1, static_cast<Tick>(std::round(step)));
  if (const Node* n = root.find("delay_resolution")) {
    if (const auto t = r.time(*n, "delay_resolution", 1)) {
      const double exact = r.ticks(*r.quantity(*n, "delay_resolution"));
      if (std::fabs(exact - static_cast<double>(*t)) > 1e-9 * exact)
        r.errors.error(n->mark, fmt::format("'delay_resolution' must be a multiple of time_resolution ({})",
                                            r.time_text(1)));
      net.delay_resolution = *t;
    } else {
      net.delay_resolution = 1;  // so that no delay seems to be between two steps
    }
  } else if (std::fabs(step - std::round(step)) > 1e-9 * step || step < 0.5) {
    r.errors.error(root.find("time_resolution")->mark,
                   "the default delay_resolution, 0.1 ms, is no multiple of this",
                   "give a `delay_resolution`");
  }
  if (const Node* n = root.find("duration")) net.duration = r.time(*n, "duration", 1).value_or(0);
}

/// In the order in which one needs another.
void load_sections(Loading& l, const Node& root) {
  if (const Node* n = root.find("populations")) load_populations(l, *n);
  else l.populations.complete = false;
  if (const Node* n = root.find("projections")) load_projections(l, *n);
  if (const Node* n = root.find("populations"); n && n->is_map()) load_drives(l, *n);
  load_layers(l);
  if (const Node* n = root.find("training")) load_training(l, *n);
  if (const Node* n = root.find("devices")) load_devices(l, *n);
  if (const Node* n = root.find("schedule")) load_schedule(l, *n);
  if (const Node* n = root.find("until")) load_until(l, *n);
  if (const Node* n = root.find("record")) load_recording(l, *n);
  const auto whole = [](const Names& n) {
    return n.complete && std::count(n.flawed.begin(), n.flawed.end(), true) == 0;
  };
  if (whole(l.populations) && whole(l.projections)) check_environments(l);
}

/// Values that times depend on, then the rest of the top level.
void load_top(Loading& l, const Node& root) {
  Reader& r = l.read;
  const Mark start{0, 0, 0, 1};
  if (!root.is_map()) {
    r.errors.error(root.mark, "a network is a map of keys, not " + kind_name(root),
                   "it begins with 'spinet: 1'; `spinet init` writes one");
    return;
  }
  r.map(root, network_entry_keys, "the network", root.keys.empty() ? start : root.keys[0].mark);
  if (const Node* v = root.find("spinet"); v && !(v->is_scalar() && v->text == "1"))
    r.errors.error(v->mark, fmt::format("format version {} is not known", kind_name(*v)),
                   "this program reads 'spinet: 1'");
  if (const Node* p = root.find("parameters"); p && p->kind != Node::Kind::null) r.set_parameters(*p);
  load_identity(l, root);
  load_times(l, root);
  load_sections(l, root);
}

/// Synapses, rows and columns that are named and have not been drawn.
void check_drawn(Loading& l) {
  const auto& ask = l.read.options.not_drawn;
  if (!ask || l.named.empty()) return;
  std::vector<Place> places;
  for (const auto& named : l.named) places.push_back(named.place);
  const auto missing = ask(l.net, places);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i].empty()) continue;
    const std::string& name = l.net.projections[*projection_of(places[i])].name;
    l.read.errors.error(l.named[i].where,
                        fmt::format("there is no {}: {} has drawn none", missing[i], in_quotes(name)),
                        fmt::format("`record: {{edges: [{}]}}` logs those that were drawn", name));
  }
}

Network load_into(Texts& texts, Network net, std::filesystem::path folder, const Catalogue& catalogue,
                  const LoadOptions& options) {
  Diagnostics errors(texts);
  bool more = false;
  try {
    Reader reader(catalogue, options, texts, errors, net);
    reader.folder = options.data_root.empty() ? std::move(folder) : options.data_root;
    reader.memory_limit =
        options.memory_limit ? options.memory_limit : std::numeric_limits<std::uint64_t>::max();
    if (auto root = parse_yaml(texts, 0, errors)) {
      const auto replace = [&](const char* option, const std::pair<std::string, std::string>& given) {
        net.overrides.push_back(given.first + "=" + given.second);
        if (root->is_map()) override_value(reader, *root, option, given.first, given.second);
      };
      for (const auto& o : options.overrides) replace("--set", o);
      for (const auto& o : options.varied) replace("--vary", o);
      Loading l{reader, net, {}, {}};
      load_top(l, *root);
      if (errors.empty() && first_fault(net).empty()) check_drawn(l);
    }
  } catch (const Diagnostics::TooMany&) {
    more = true;
  } catch (const std::bad_alloc&) {
    errors.error(Mark{0, 0, 0, 1}, "reading it takes more memory than there is");
  }
  if (!errors.empty()) {
    auto list = errors.sorted();
    std::string all;
    for (const auto& d : list) all += render(d);
    if (more) all += fmt::format("... and more: only the first {} errors are shown\n", Diagnostics::most);
    throw InvalidNetwork(std::move(list), std::move(all));
  }
  if (const auto fault = first_fault(net); !fault.empty())
    throw std::logic_error("the loader made a faulty network: " + fault);
  return net;
}

[[noreturn]] void refuse_file(const std::filesystem::path& file, std::string reason, std::string help = {}) {
  Diagnostic d;
  d.file = file.string();
  d.reason = std::move(reason);
  d.help = std::move(help);
  auto text = render(d);
  throw InvalidNetwork({std::move(d)}, std::move(text));
}

}  // namespace

std::span<const Key> top_keys() { return network_entry_keys; }

}  // namespace reading

InvalidNetwork unfit(const Network& network, const TextPlace& place, const std::string& reason) {
  Texts texts;
  texts.add(network.source_path, network.source_text);
  const std::string_view from = place.line > 0 ? texts.line(0, place.line).substr(place.column - 1) : "";
  const auto end =
      std::find_if_not(from.begin(), from.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  Diagnostics errors(texts);
  errors.error({0, place.line, place.column, std::max(1u, static_cast<std::uint32_t>(end - from.begin()))},
               reason);
  auto list = errors.sorted();
  auto text = render(list[0]);
  return {std::move(list), std::move(text)};
}

Network load_text(std::string_view text, const std::string& name, const Catalogue& catalogue,
                  const LoadOptions& options) {
  Texts texts;
  texts.add(name, std::string(text));
  Network net;
  net.name = std::filesystem::path(name).stem().string();
  net.source_text = text;
  net.source_path = name;
  return reading::load_into(texts, std::move(net), {}, catalogue, options);
}

Network load(const std::filesystem::path& file, const Catalogue& catalogue, const LoadOptions& options) {
  using namespace reading;
  std::error_code code;
  const auto status = std::filesystem::status(file, code);
  if (!std::filesystem::exists(status)) refuse_file(file, "there is no such file");
  if (std::filesystem::is_directory(status))
    refuse_file(file, "this is a folder, not a file", "name the YAML file in it");
  if (!std::filesystem::is_regular_file(status)) refuse_file(file, "this is not a regular file");
  if (const auto size = std::filesystem::file_size(file, code); !code && size > largest_text)
    refuse_file(file, fmt::format("{} is too large for a network", readable_bytes(static_cast<double>(size))),
                "put large data into CSV files");
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) refuse_file(file, "the file cannot be read", "check its permissions");
  Texts texts;
  Network net;
  net.name = file.stem().string();
  net.source_text = text;
  net.source_path = file.string();
  texts.add(file.string(), std::move(text));
  return load_into(texts, std::move(net), file.parent_path(), catalogue, options);
}

}  // namespace spinet
