#include "sweep/asked.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "memory.hpp"
#include "network/suggest.hpp"
#include "outputs.hpp"
#include "sweep/axis.hpp"
#include "sweep/runs.hpp"
#include "text.hpp"

namespace spinet::tool {

AskedFor asked_for(const SweepOptions& o, const Catalogue& catalogue, int ranks_here) {
  if (o.output.empty())
    throw UserError(
        "spinet sweep: -o OUT.h5 is missing: where the results go, and what the same command goes on with");
  check_output(o.output, Replace::yes,
               {{o.network.file, "the network that is read"}});  // an older one is gone on with
  if (o.vary.empty() && o.trials == 1)
    throw UserError("spinet sweep: nothing to sweep over; give --vary PATH=VALUES or --trials N");
  auto base = load_options(o.network);
  DataFiles files;
  base.data_file = collect_into(files);
  AskedFor all;
  Sweep& s = all.sweep;
  s.version = SPINET_VERSION;
  for (const auto& [path, value] : base.overrides) s.set.push_back(path + "=" + value);
  s.vary = o.vary;
  s.trials = o.trials;
  const Plan plan = s.plan();
  check_axes(plan.axes);
  for (const auto& a : plan.axes)
    for (const auto& p : a.paths)
      for (const auto& [path, value] : base.overrides)
        if (path == p)
          throw UserError(fmt::format("--vary {}: {} is varied and given with {}", a.name(), in_quotes(p),
                                      p == "duration" ? "--duration" : "--set"));
  if (plan.runs() > 100'000'000)
    throw UserError(fmt::format("spinet sweep: {} runs; at most 100,000,000", grouped(plan.runs())));
  for (std::uint64_t c = 0; c < plan.combinations(); ++c) {
    Prepared p;
    try {
      p = prepare(o.network.file, base, catalogue, plan, c);
    } catch (const InvalidNetwork& e) {
      throw UserError(plan.axes.empty()
                          ? e.rendered
                          : fmt::format("{}spinet sweep: so it is with {}; nothing has been run", e.rendered,
                                        plan.text(c)));
    }
    const std::uint64_t most =
        std::max<std::uint64_t>(1, std::numeric_limits<Gid>::max() / std::max<Gid>(1, p.net.gid_count()));
    all.together.push_back(std::min(o.together ? o.together : pays_off(p.net), most));
    check_memory_of_each(p.net, ranks_here, static_cast<double>(all.together.back()));
    if (c == 0) {
      s.seed = p.net.seed;
      s.network_text = p.net.source_text;
      s.network_name = p.net.name;
      s.until = p.columns.until;
      s.x_name = p.columns.x_name;
      s.y_name = p.columns.y_name;
    }
    const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
      for (const auto& x : from)
        if (std::find(to.begin(), to.end(), x) == to.end()) to.push_back(x);
    };
    add(s.metrics, p.columns.all);
    add(s.populations, p.columns.populations);
  }
  std::vector<Input> inputs;
  for (const auto& [name, path] : files) inputs.push_back({path, "a data file of the network"});
  check_output(o.output, Replace::yes, inputs);
  all.contents = manifest_of(files);
  s.files = lines_of(all.contents);
  return all;
}

}  // namespace spinet::tool
