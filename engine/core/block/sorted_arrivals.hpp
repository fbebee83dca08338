// Arrivals of a block with many slices: records that are sorted when their window comes
// (core/block/arrivals.hpp).
#pragma once
#include <utility>

#include "core/block/arrivals.hpp"

namespace spinet {

class SortedArrivals final : public ArrivalStore {
 public:
  /// Do events have payloads?
  SortedArrivals(const Ring& ring, const BlockSynapses& synapses, Payloads payloads);
  Tick post(std::span<const Emission> some, Tick from) override;
  Tick next(Tick from) override;
  void open(Tick from) override;
  std::span<const Hit> take() override;
  void clear() override;
  void pending(Tick now, std::vector<PendingEvent>& to) const override;

 private:
  /// Arrivals of a window.  Keys: offset in the window << 32 | slice.
  struct WindowArrivals {
    std::vector<std::uint64_t> keys;
    std::vector<double> payloads;  ///< as many, or none
  };
  struct Arrival {
    std::uint32_t offset, slice;
    std::uint64_t key() const { return static_cast<std::uint64_t>(offset) << 32 | slice; }
  };
  Tick post_any(std::span<const Emission> some, Tick from);
  void put(std::uint64_t place, const Arrival& a, double payload);
  void draw_near(std::uint64_t window);
  void sort(WindowArrivals& held);
  void see_due();
  bool graded_;
  std::vector<WindowArrivals> held_;
  WindowArrivals open_;  ///< the present window's
  Tick from_ = 0;        ///< its begin
  std::size_t taken_ = 0;
  std::vector<Hit> hits_;
  std::vector<std::uint64_t> buffer_;
  std::vector<std::pair<std::uint64_t, double>> buffer_graded_;
  Far<Arrival> far_;
};

}  // namespace spinet
