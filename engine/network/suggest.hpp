// "Did you mean": the nearest of the allowed names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace spinet {

/// Edits (insert, delete, replace, swap of neighbours; a change of case costs nothing) that make b of a.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The allowed name nearest to `given`, if near enough to be meant; else empty.
std::string nearest(std::string_view given, const std::vector<std::string>& allowed);

/// The same, but empty where several are equally near: one of them is not taken for the one meant.
std::string meant_surely(std::string_view given, const std::vector<std::string>& allowed);

/// "did you mean 'tau_m'? parameters: C_m, E_L, tau_m"; either part may be missing.
std::string suggest(std::string_view given, const std::vector<std::string>& allowed, std::string_view kind);

/// The same for a `best` that has been chosen, or none if it is empty.
std::string suggest_one(std::string_view best, const std::vector<std::string>& allowed,
                        std::string_view kind);

/// "a, b, c"
std::string joined(const std::vector<std::string>& names);

/// The text in single quotes; cut where it is long, control characters replaced.
std::string in_quotes(std::string_view text);

}  // namespace spinet
