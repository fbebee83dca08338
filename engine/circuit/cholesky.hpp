// Sparse symmetric positive definite systems, by SuiteSparse's CHOLMOD.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace spinet::circuit {

class Cholesky {
 public:
  Cholesky();
  ~Cholesky();
  Cholesky(Cholesky&&) noexcept;
  Cholesky& operator=(Cholesky&&) noexcept;
  /// Begins a matrix of `n` x `n` with at most `entries` contributions to it.
  void begin(std::int32_t n, std::size_t entries);
  /// Adds to an entry on or below the diagonal.
  void add(std::int32_t row, std::int32_t column, double x);
  /// The order of elimination is that of the last matrix, which must have had its entries in the same places,
  /// until it is told to `forget` it.  Throws CircuitError if the matrix is not positive definite or memory
  /// does not hold it.
  void factor();
  void forget();
  std::vector<double> solve(const std::vector<double>& right) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet::circuit
