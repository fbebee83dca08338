// What environments post, and rules of learning answer.
#pragma once
#include "spinet/stimulus.hpp"

namespace spinet {

inline constexpr Field reward_values[] = {
    stimulus_value("reward", "1", "the reward"),
    stimulus_value("expected", "1", "what a critic expected"),
    stimulus_value("filtered", "1", "the mean reward of late"),
    stimulus_value("epoch", "1", "number of the batch"),
};
inline constexpr Stimulus reward =
    stimulus("reward", "learn from a reward", "a reward for synapses and neurons that learn from it",
             reward_values, scored);

inline constexpr Field batch_end_values[] = {stimulus_value("epoch", "1", "number of the batch")};
inline constexpr Stimulus batch_end =
    stimulus("batch_end", "wait for the end of a batch", "the end of a batch of presentations",
             batch_end_values, batched);

}  // namespace spinet
