// Commits: what has come becomes permanent, and a log is finished or given up.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include "log/reader.hpp"
#include "log/writer_parts.hpp"

namespace spinet {

Tick RunLog::Impl::whole() const {
  if (edges_open) return 0;
  Tick t = reached;
  const auto sooner = [&](std::size_t stream, bool in_ticks) {
    if (stream == none || streams[stream].buffered() == 0) return;
    const auto& s = streams[stream];
    t = std::min(t, in_ticks ? s.oldest<Tick>(2)
                             : static_cast<Tick>(std::llround(s.oldest<double>(0) * ticks_per_ms)));
  };
  for (const auto s : spikes_of) sooner(s, exact_ticks);
  for (const auto s : metrics_of) sooner(s, false);
  for (const auto& e : events) sooner(e.stream, false);
  for (const auto& r : reports)
    if (streams[r.stream].buffered() > 0)
      t = std::min(t, r.from + static_cast<Tick>(streams[r.stream].written()) * r.every);
  return std::max<Tick>(t, 0);
}

void RunLog::Impl::flush() {
  for (auto& report : reports) {
    auto& s = streams[report.stream];
    if (!s.dirty()) continue;
    const auto frames = static_cast<Tick>(s.written());
    const double time[3] = {ms(report.from), ms(report.from + frames * report.every), ms(report.every)};
    h5::replace_values<double>(report.time, "time", time);
  }
  for (auto& s : streams) s.flushed();
  dirty = false;
  h5::replace_attribute(provenance, "whole_ticks", whole());
  const Stamp now{head.run_id, ++commits};
  h5::check(H5Dwrite(stamp, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, &now), "numbering the commit");
  h5::check(H5Fflush(file, H5F_SCOPE_LOCAL), "flushing the file");
}

Commit RunLog::Impl::unwritten() {
  Commit c;
  c.number = commits;
  c.reached = reached;
  for (std::uint32_t i = 0; i < streams.size(); ++i)
    if (streams[i].buffered()) c.rows.push_back(streams[i].unwritten_rows(i));
  return c;
}
Commit RunLog::Impl::unjournaled() {
  Commit c;
  c.number = commits;
  c.reached = reached;
  for (std::uint32_t i = 0; i < streams.size(); ++i)
    if (streams[i].anything_to_journal()) c.rows.push_back(streams[i].unjournaled_rows(i));
  return c;
}

void RunLog::Impl::commit_now() {
  if (dirty) {
    h5::replace_attribute(provenance, "reached_ticks", reached);
    flush();
    store->commit(&*journal, unjournaled(), Survives{options.power_safe});
  } else {
    journal->append(unjournaled());
    if (options.power_safe) journal->sync();
  }
  durable = reached;
  if (journal->bytes() > journal_limit) {
    if (options.power_safe) store->file().sync();
    journal->restart(unwritten());
    journal_limit = std::max<std::uint64_t>(16u << 20, 4 * journal->bytes());
  }
  uncommitted = 0;
  last_commit = Clock::now();
}

void RunLog::Impl::commit(Tick tick) {
  reached = tick;
  if (edges_open) {
    // No more edges come: their datasets are finished before the first spike.
    for (const auto i : edge_streams) streams[i].write_rest();
    edges_open = false;
    dirty = true;
    commit_now();
    return;
  }
  const std::chrono::duration<double> since = Clock::now() - last_commit;
  if (since.count() >= options.tail_seconds || (dirty && since.count() >= options.flush_seconds) ||
      uncommitted >= options.flush_bytes)
    commit_now();
}

void RunLog::Impl::secure(Tick tick) {
  if (edges_open) commit(tick);
  reached = tick;
  commit_now();
}

void RunLog::Impl::finish(const Statistics* figures, const char* status) {
  for (auto& s : streams) s.write_rest();
  h5::replace_attribute(provenance, "reached_ticks", reached);
  h5::write_text_attribute(provenance, "status", status, layout::status_bytes);
  h5::write_text_attribute(provenance, "finished", utc_now());
  if (figures) write_figures(*figures);
  flush();
  close();
  store->commit(&*journal, unjournaled(), Survives{options.power_safe});
  durable = reached;
  store->trim();
  store->file().sync();
  Journal::remove(path);
  journal.reset();
  store.reset();
  options.lock.reset();
  closed = true;
}

void RunLog::Impl::write_figures(const Statistics& f) {
  const auto g = h5::create_group(provenance, "statistics");
  const std::pair<const char*, std::uint64_t> counts[] = {{"spikes", f.spikes},
                                                          {"deliveries", f.deliveries},
                                                          {"synapses", f.synapses},
                                                          {"superposed", f.superposed},
                                                          {"slices", f.slices},
                                                          {"threshold_tests", f.threshold_tests},
                                                          {"windows", f.windows},
                                                          {"synapse_bytes", f.synapse_bytes},
                                                          {"stored_synapses", f.stored_synapses},
                                                          {"events", f.events()},
                                                          {"events_before", f.events_before}};
  for (const auto& [name, value] : counts) h5::write_attribute(g, name, value);
  h5::write_attribute(g, "build_seconds", f.build_seconds);
  h5::write_attribute(g, "run_seconds", f.run_seconds);
  h5::write_dataset<std::uint64_t>(g, "spikes_of_population", f.spikes_of_population);
}

void RunLog::Impl::write_images(const ImageResults& r) {
  const auto g = h5::create_group(file, "images");
  for (const auto& [name, text] : {std::pair("population", &r.environment), std::pair("part", &r.part),
                                   std::pair("data", &r.data), std::pair("weights", &r.weights)})
    h5::write_text_attribute(g, name, *text);
  h5::write_dataset<std::uint64_t>(g, "numbers", r.numbers);
  h5::write_dataset<std::uint32_t>(g, "labels", r.labels);
  h5::write_dataset<std::uint32_t>(g, "predicted", r.predicted);
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < r.labels.size(); ++i) right.push_back(r.labels[i] == r.predicted[i]);
  h5::write_dataset<std::uint8_t>(g, "right", right);
  h5::write_attribute(g, "accuracy", r.accuracy());
  if (const auto m = r.confusion(); !m.empty()) {
    const std::array<hsize_t, 2> square{r.classes, r.classes};
    h5::write_dataset(g, "confusion", h5::type_of<std::uint64_t>(), square, m.data());
  }
  const std::array<hsize_t, 2> shape{r.numbers.size(), r.classes};
  h5::write_dataset(g, "outputs", h5::type_of<float>(), shape, r.outputs.data());
  const auto spikes = h5::create_group(g, "spikes"), events = h5::create_group(g, "events");
  for (const auto& layer : r.layers) {
    h5::write_dataset<std::uint64_t>(spikes, link_name(layer.population), layer.spikes);
    h5::write_dataset<std::uint64_t>(events, link_name(layer.population), layer.events);
  }
  h5::write_text_attribute(g, "without_energy", r.without_energy);
  if (r.energies.empty()) return;
  const auto energy = h5::create_group(g, "energy");
  for (const auto& e : r.energies)
    h5::write_vlen_attribute(h5::write_dataset<double>(energy, link_name(e.projection), e.nJ), "units", "nJ");
}

void RunLog::Impl::close() {
  reports.clear();
  std::vector<Stream>().swap(streams);
  provenance.close();
  stamp.close();
  if (file >= 0) {
    const hid_t f = file.release();
    h5::check(H5Fclose(f), "closing the file");
  }
}

void RunLog::Impl::abandon() noexcept {
  closed = true;
  if (store) store->discard();
  try {
    close();
    if (store) store->trim();
  } catch (const std::exception&) {
    // The reason that is reported is the one that led here.
  }
  journal.reset();
  store.reset();
}

void RunLog::Impl::fail(const std::string& reason) {
  abandon();
  std::string rest;
  try {
    // Dropping what was not committed has given its room back, which is often enough for this.
    recover(path, options.fault, options.lock.get());
  } catch (const std::exception&) {
    rest =
        "; a part of it is in the journal, which `spinet info --repair` folds in once the disk takes writes "
        "again";
  }
  failed.emplace(
      path,
      fmt::format("the log cannot be written: {}. It is readable and holds everything before {} ms{}", reason,
                  ms(durable), rest),
      durable);
  throw *failed;
}

RunLog::RunLog(std::filesystem::path path, const Network& network, const RunProvenance& provenance,
               RunLogOptions options)
    : impl_(std::make_unique<Impl>(std::move(path), network, std::move(options))) {
  h5::quiet();
  impl_->create(provenance);
}

RunLog::~RunLog() {
  if (impl_->closed) return;
  try {
    impl_->guarded([&] { impl_->finish(nullptr, layout::status::interrupted); });
  } catch (const std::exception&) {
    // The exception that ends the run matters more; the journal keeps what was committed.
  }
}

void RunLog::spikes(std::span<const Spike> sorted) {
  impl_->guarded([&] { impl_->add_spikes(sorted); });
}
void RunLog::frames(std::uint32_t r, std::span<const float> values) {
  impl_->guarded([&] { impl_->add_frames(r, impl_->network.reports.at(r).ids.size(), values); });
}
void RunLog::weights(std::uint32_t w, std::span<const float> values) {
  impl_->guarded(
      [&] { impl_->add_frames(impl_->weights.at(w).report, impl_->options.weight_widths.at(w), values); });
}
void RunLog::edges(std::uint32_t p, std::span<const Edge> some) { edges_with_values(p, some, {}); }
void RunLog::edges_with_values(std::uint32_t p, std::span<const Edge> some, std::span<const double> values) {
  impl_->guarded([&] { impl_->add_edges(p, some, values); });
}
void RunLog::metrics(std::uint32_t population, Tick tick, std::span<const double> values) {
  impl_->guarded([&] {
    auto& s = impl_->streams[impl_->metrics_of.at(population)];
    s.room(1);
    *s.column<double>(0) = impl_->ms(tick);
    for (std::size_t m = 0; m < values.size(); ++m) *s.column<double>(m + 1) = values[m];
    impl_->took(s, 1);
  });
}
void RunLog::watched(std::uint32_t r, std::span<const WatchedEdge> some) {
  impl_->guarded([&] { impl_->add_mapping(impl_->streams[impl_->events.at(r).mapping], some); });
}
void RunLog::weight_events(std::uint32_t r, std::span<const WeightEvent> some) {
  impl_->guarded([&] { impl_->add_events(impl_->streams[impl_->events.at(r).stream], some); });
}
void RunLog::commit(Tick reached) {
  impl_->guarded([&] { impl_->commit(reached); });
}
void RunLog::secure(Tick reached) {
  impl_->guarded([&] { impl_->secure(reached); });
}
void RunLog::images(const ImageResults& results) {
  impl_->guarded([&] { impl_->write_images(results); });
}
void RunLog::finish(const Statistics& summary, Tick reached, Ending ending) {
  impl_->guarded([&] {
    impl_->reached = reached;
    impl_->finish(&summary, ending == Ending::complete ? layout::status::complete : layout::status::stopped);
  });
}
Tick RunLog::durable() const { return impl_->durable; }

}  // namespace spinet
