// Connection rules by name, for networks written in C++.
#pragma once
#include "connect/rule.hpp"

namespace spinet::test::Rule {

inline const ConnectionRule& one_to_one = *connection_rule("one_to_one");
inline const ConnectionRule& all_to_all = *connection_rule("all_to_all");
inline const ConnectionRule& fixed_indegree = *connection_rule("fixed_indegree");
inline const ConnectionRule& fixed_outdegree = *connection_rule("fixed_outdegree");
inline const ConnectionRule& fixed_total_number = *connection_rule("fixed_total_number");
inline const ConnectionRule& pairwise_bernoulli = *connection_rule("pairwise_bernoulli");
inline const ConnectionRule& listed = *connection_rule("list");

}  // namespace spinet::test::Rule
