#include "network/structs.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "network/as_given.hpp"
#include "network/reading.hpp"

namespace spinet::reading {
namespace {

std::uint32_t params_size(const Model& m) {
  switch (m.kind) {
    case Kind::neuron:
      return reinterpret_cast<const NeuronTable&>(m).params_size;
    case Kind::source:
      return reinterpret_cast<const SourceTable&>(m).params_size;
    case Kind::synapse:
      return reinterpret_cast<const SynapseTable&>(m).params_size;
  }
  return 0;
}

using Check = const char* (*)(const void*) noexcept;
Check check_of(const Model& m) {
  switch (m.kind) {
    case Kind::neuron:
      return reinterpret_cast<const NeuronTable&>(m).check;
    case Kind::source:
      return reinterpret_cast<const SourceTable&>(m).check;
    case Kind::synapse:
      return reinterpret_cast<const SynapseTable&>(m).check;
  }
  return nullptr;
}

}  // namespace

double typical(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::constant:
      return d.a;
    case Distribution::Kind::uniform:
      return 0.5 * (d.a + d.b);
    case Distribution::Kind::lognormal:
      return std::clamp(std::exp(d.a), d.low, d.high);
    case Distribution::Kind::normal:  // not on a bound: 0 would turn off what some devices have
      return std::clamp(d.a > d.low ? d.a : d.low + d.b / 2, d.low, d.high);
    default:
      return std::clamp(d.a, d.low, d.high);
  }
}

std::vector<Distribution> params_of(const Projection& p) {
  std::vector<Distribution> all;
  for (const double x : p.params) all.push_back({Distribution::Kind::constant, x});
  for (const auto& [field, drawn] : p.drawn_params) all[field] = drawn;
  return all;
}

std::vector<double> fill_params(const Model& m, std::span<const double> values) {
  std::vector<double> bytes((params_size(m) + sizeof(double) - 1) / sizeof(double) + 1);
  for (std::uint32_t i = 0; i < m.params.count; ++i) {
    const Field& f = field(m.params, i);
    char* at = reinterpret_cast<char*>(bytes.data()) + f.offset;
    if (f.type == Type::f32) {
      const float x = static_cast<float>(values[i]);
      std::memcpy(at, &x, sizeof x);
    } else {
      std::memcpy(at, &values[i], sizeof(double));
    }
  }
  return bytes;
}

bool takes_spikes(const Model& m) {
  if (m.kind != Kind::source) return false;
  const auto& s = reinterpret_cast<const SourceTable&>(m);
  std::vector<double> presets;
  for (std::uint32_t i = 0; i < m.params.count; ++i) presets.push_back(field(m.params, i).preset);
  return !s.superposable && s.rate(fill_params(m, presets).data()) == 0;
}

std::uint64_t neuron_bytes(const Model& m) {
  if (m.kind == Kind::neuron) {
    const auto& t = reinterpret_cast<const NeuronTable&>(m);
    return std::uint64_t{t.state_size} + t.constants_size + t.params_size + sizeof(Gid);
  }
  return params_size(m);
}

std::vector<std::string> fields_named(const Fields& fields, std::string_view reason) {
  std::vector<std::string> named;
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (std::size_t i = 0; i < reason.size();) {
    std::size_t end = i;
    while (end < reason.size() && letter(reason[end])) ++end;
    const std::string word(reason.substr(i, end - i));
    for (std::uint32_t f = 0; f < fields.count; ++f)
      if (word == field(fields, f).name) named.push_back(word);
    i = std::max(end, i + 1);
  }
  return named;
}

/// Is any of the parameters that a reason names drawn?
static bool draws_named(const Model& m, std::span<const Distribution> params, const char* reason) {
  const auto named = fields_named(m.params, reason);
  for (std::uint32_t k = 0; k < params.size(); ++k) {
    const bool drawn =
        params[k].kind != Distribution::Kind::listed && params[k].kind != Distribution::Kind::constant;
    if (drawn && (named.empty() || std::count(named.begin(), named.end(), field(m.params, k).name)))
      return true;
  }
  return false;
}

CrossCheck check_params(const Model& m, std::span<const Distribution> params) {
  const Check check = check_of(m);
  if (!check) return {};
  std::vector<double> values;
  std::size_t listed = 0;
  for (const auto& d : params) {
    values.push_back(d.kind == Distribution::Kind::listed ? d.values[0] : typical(d));
    if (d.kind == Distribution::Kind::listed) listed = d.values.size();
  }
  bool of_one = false;
  const auto run = [&] {
    auto bytes = fill_params(m, values);
    if (of_one) as_given(m.params, bytes.data());
    return check(bytes.data());
  };
  if (const char* reason = run()) return {reason, draws_named(m, params, reason)};
  for (std::size_t i = 0; i < listed; ++i) {
    for (std::size_t k = 0; k < params.size(); ++k)
      if (params[k].kind == Distribution::Kind::listed) values[k] = params[k].values[i];
    if (const char* reason = run()) return {reason, draws_named(m, params, reason)};
  }
  of_one = m.kind == Kind::synapse;  // what is worked out for the projection goes by the middle
  for (std::size_t k = 0; k < params.size(); ++k) {
    const auto& d = params[k];
    double low = d.low, high = d.high;
    if (d.kind == Distribution::Kind::uniform) low = d.a, high = d.b;
    else if (d.kind == Distribution::Kind::normal)
      low = std::max(low, d.a - 6 * d.b), high = std::min(high, d.a + 6 * d.b);
    else if (d.kind == Distribution::Kind::lognormal)
      low = std::max(low, std::exp(d.a - 6 * d.b)), high = std::min(high, std::exp(d.a + 6 * d.b));
    else if (d.kind != Distribution::Kind::exponential) continue;
    const double kept = values[k];
    for (const double end : {low, high}) {
      if (!std::isfinite(end)) continue;
      values[k] = end;
      if (const char* reason = run()) return {reason, true, static_cast<int>(k)};
    }
    values[k] = kept;
  }
  return {};
}

}  // namespace spinet::reading
