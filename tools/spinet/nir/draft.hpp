// A graph as a network of Spinet: populations of `integrator` and `step_signal`, and what connects them.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "nir/connections.hpp"

namespace spinet::nir {

/// What a file leaves open.  Times in ns.
struct Reading {
  std::int64_t spike = 0;             ///< how long a spike lasts, at height 1; 0: it is an impulse
  std::int64_t area = 1'000'000'000;  ///< of an impulse
  std::int64_t euler = 0;        ///< step of the Euler method that the time constants are meant for; 0: exact
  std::int64_t delay = 100'000;  ///< of a connection, beyond what Delay nodes say
  bool by_subtraction = false;   ///< a spike takes v_threshold - v_reset from v; else v becomes v_reset
  bool current = false;          ///< Input nodes get currents that are constant between changes; else spikes
};

/// A parameter of a population and the field that it is made of.
struct Setting {
  enum class From : std::uint8_t {
    field,  ///< the number itself
    time,   ///< a time constant
    sum,    ///< of the constants of nodes on the way
    given,  ///< none: always the same
  };
  std::string name, unit;
  std::vector<double> values;  ///< one, or one for each neuron
  From from = From::given;
  std::string field{};
};

/// What travels from a population to others.
enum class Signal : std::uint8_t {
  impulses,
  lasting,     ///< spikes that last: a step up, and a step down
  steps,       ///< changes
  continuous,  ///< a potential: events cannot say it
};

struct PopulationDraft {
  std::uint32_t vertex;
  std::string name, model;
  std::uint32_t size;
  std::vector<Setting> settings{};
  std::vector<std::pair<std::string, std::string>> choices{};
  Signal sends = Signal::impulses;
};

struct ProjectionDraft {
  std::string name;
  std::uint32_t source, target;  ///< populations
  std::uint32_t bundle;
  std::string port, unit;
  bool lasts;         ///< every connection is two: a step up, and a step down when the spike ends
  bool lists_delays;  ///< delays differ
};

/// Output nodes and what shows them.
struct Shown {
  std::uint32_t vertex, population;
  bool spikes;  ///< of the population; else its potential
};

struct Draft {
  std::vector<Vertex> vertices;
  Connected connected;
  std::vector<PopulationDraft> populations;
  std::vector<ProjectionDraft> projections;
  std::vector<Shown> outputs;
};

/// A connection as the network has it.
struct Row {
  std::uint32_t source, target;
  double weight;
  std::int64_t delay;  ///< ns
};

/// The graph must outlive it.  Throws Fault.
Draft draft(const GraphFile& file, const Reading& reading);
/// What stands for a weight 1 of the graph.
double charge_of(const ProjectionDraft& p, const Reading& reading);
std::vector<Row> rows(const Draft& d, const ProjectionDraft& p, const Reading& reading);

/// A time constant of the file [s] as the network has it, and back.
double exact_time(double tau, const Reading& reading);
double time_of_file(double tau, const Reading& reading);

/// The greatest step of which all delays are multiples [ns].
std::int64_t delay_resolution(const Draft& d, const Reading& reading);

}  // namespace spinet::nir
