#include "core/block/watched.hpp"

#include <algorithm>
#include <numeric>

#include "network/lookup.hpp"

namespace spinet {
namespace {

/// Does the recording log what each of these has left?
bool logs(const WeightEventRecording& r, const Stimulus& s) { return r.logs && index_of(s, r.logs, 1) == 0; }

}  // namespace

void Watched::sample(std::uint32_t w, std::vector<std::uint32_t> positions) {
  if (sampled_.size() <= w) sampled_.resize(w + 1);
  sampled_[w] = std::move(positions);
}

void Watched::take_samples(std::uint32_t w, Tick tick, std::vector<float>& to) {
  if (sample_count(w) == 0) return;
  const std::uint32_t variable = network_.weights[w].variable;
  const BlockSynapses& synapses = slices_->synapses();
  const std::uint32_t k = synapses.store_of(network_.weights[w].projection);
  const Store& store = synapses.stores()[k];
  if (store.stateless()) {
    for (const auto position : sampled_[w]) to.push_back(static_cast<float>(store.weight_at(position)));
    return;
  }
  std::vector<float> values(store.targets.size());
  for (std::uint32_t s = 0; s < synapses.slice_count(); ++s) {
    if (synapses.slice(s).store != k) continue;
    const Slice slice = slices_->at(s, tick, 0);
    float* const at = values.data() + synapses.slice(s).begin;
    for (std::uint32_t i = 0; i < slice.count; ++i)
      at[i] = faults_.sampled(store.table->read(&slice, i, variable), Faults::SynapseVariable{s, i, variable},
                              tick);
  }
  for (const auto position : sampled_[w]) to.push_back(values[position]);
}

void Watched::note_changes(std::vector<WatchedSynapse> some) {
  noted.resize(network_.weight_events.size());
  if (some.empty()) return;
  changing_ = std::move(some);
  std::stable_sort(changing_.begin(), changing_.end(), [](const WatchedSynapse& a, const WatchedSynapse& b) {
    return a.slice != b.slice ? a.slice < b.slice : a.index < b.index;
  });
  first_.assign(slices_->synapses().slice_count() + 1, 0);
  for (const auto& w : changing_) ++first_[w.slice + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

void Watched::note(WatchedSynapse& w, const Slice& slice, Values which) {
  const BlockSynapses& synapses = slices_->synapses();
  const Store& store = synapses.stores()[synapses.slice(w.slice).store];
  const std::uint32_t variable = network_.weight_events[w.recording].variable;
  const auto read = [&] {
    return faults_.number(store.table->read(&slice, w.index, variable), {w.slice, w.index, variable},
                          slice.tick);
  };
  const double now = store.stateless() ? store.weight_at(synapses.slice(w.slice).begin + w.index) : read();
  if (which == Values::changed && now == w.last) return;
  w.last = now;
  noted[w.recording].push_back({slice.tick, w.edge, now});
}

void Watched::note_piece(const Piece& piece, Tick tick, const Stimulus* after) {
  const auto begin = changing_.begin() + first_[piece.slice],
             end = changing_.begin() + first_[piece.slice + 1];
  const auto before = [](const WatchedSynapse& w, std::uint32_t index) { return w.index < index; };
  auto w = std::lower_bound(begin, end, piece.first, before);
  const auto behind = std::lower_bound(w, end, piece.first + piece.count, before);
  if (w == behind) return;
  const Slice slice = slices_->at(piece.slice, tick, 0);
  for (; w != behind; ++w) {
    const WeightEventRecording& r = network_.weight_events[w->recording];
    if (r.on_change && !(after && logs(r, *after)) && tick >= r.from && tick < r.to)
      note(*w, slice, Values::changed);
  }
}

void Watched::changed(std::uint32_t s, Tick tick) {
  if (any_changes()) note_piece({s, 0, slices_->synapses().slice(s).count}, tick, nullptr);
}

void Watched::controlled(const Piece& piece, Tick tick, const Stimulus& stimulus) {
  if (any_changes()) note_piece(piece, tick, &stimulus);
}

void Watched::note_recording(std::uint32_t recording, Tick tick, Values which) {
  for (std::size_t k = 0; k < changing_.size();) {
    const std::uint32_t s = changing_[k].slice;
    const Slice slice = slices_->at(s, tick, 0);
    for (; k < changing_.size() && changing_[k].slice == s; ++k)
      if (changing_[k].recording == recording) note(changing_[k], slice, which);
  }
}

void Watched::after(const ScheduledControl& s, Tick tick) {
  for (std::uint32_t r = 0; r < network_.weight_events.size(); ++r) {
    const WeightEventRecording& recording = network_.weight_events[r];
    if (logs(recording, *s.stimulus) && s.to.names(recording.projection))
      note_recording(r, tick, Values::all);
  }
}

}  // namespace spinet
