#include "core/errors.hpp"

#include <utility>

#include "core/arithmetic.hpp"

namespace spinet {
namespace {

std::string listed(const std::set<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

ProjectionFailure::ProjectionFailure(const Projection& p, std::string_view why)
    : std::runtime_error("projection " + p.name + ": " + std::string(why)), projection(p.name), reason(why) {}

TooMany::TooMany(std::string_view what_of, std::uint64_t most_of, std::string_view what_helps)
    : std::runtime_error("more than " + std::to_string(most_of) + " " + std::string(what_of) + "; " +
                         std::string(what_helps)),
      what(what_of),
      help(what_helps),
      most(most_of) {}

ModeChanged::ModeChanged(std::string_view where_one, std::set<std::string> of, std::string_view when,
                         std::string_view what_changed)
    : std::runtime_error(std::string(where_one) + " (" + listed(of) + ")" +
                         (when.empty() ? " " : ", " + std::string(when) + ", ") +
                         mode_reason(std::string(what_changed))),
      models(std::move(of)),
      change(what_changed) {}

UnfitCheckpoint::UnfitCheckpoint(std::string_view part_of, std::string_view why)
    : std::runtime_error((part_of.empty() ? "it " : "'" + std::string(part_of) + "' ") + std::string(why)),
      part(part_of),
      reason(why) {}

}  // namespace spinet
