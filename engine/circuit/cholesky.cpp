#include "circuit/cholesky.hpp"

#include <suitesparse/cholmod.h>

#include <algorithm>
#include <string>

#include "circuit/crossbar.hpp"

namespace spinet::circuit {

struct Cholesky::Impl {
  mutable cholmod_common common{};
  cholmod_triplet* entries = nullptr;
  cholmod_factor* factors = nullptr;

  Impl() {
    cholmod_start(&common);
    common.print = 0;
    common.supernodal = CHOLMOD_SIMPLICIAL;  // needs no BLAS, and the same bits everywhere
    common.final_ll = 0;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    cholmod_free_triplet(&entries, &common);
    cholmod_free_factor(&factors, &common);
    cholmod_finish(&common);
  }
  void fine(bool good, const char* what) const {
    if (common.status == CHOLMOD_OUT_OF_MEMORY)
      throw CircuitError(std::string("the memory for ") + what + " is not there");
    if (common.status == CHOLMOD_NOT_POSDEF)
      throw CircuitError(
          "the conductances of a crossbar, of its devices at these voltages and of its lines, are too far "
          "apart "
          "to be solved together");
    if (!good || common.status < CHOLMOD_OK)
      throw CircuitError(std::string(what) + " failed (CHOLMOD status " + std::to_string(common.status) +
                         ")");
  }
};

Cholesky::Cholesky() : impl_(std::make_unique<Impl>()) {}
Cholesky::~Cholesky() = default;
Cholesky::Cholesky(Cholesky&&) noexcept = default;
Cholesky& Cholesky::operator=(Cholesky&&) noexcept = default;

void Cholesky::begin(std::int32_t n, std::size_t entries) {
  Impl& s = *impl_;
  cholmod_free_triplet(&s.entries, &s.common);
  const auto size = static_cast<std::size_t>(n);
  s.entries = cholmod_allocate_triplet(size, size, entries, -1, CHOLMOD_REAL, &s.common);
  s.fine(s.entries != nullptr, "the matrix of a crossbar");
}

void Cholesky::add(std::int32_t row, std::int32_t column, double x) {
  cholmod_triplet& t = *impl_->entries;
  static_cast<int*>(t.i)[t.nnz] = row;
  static_cast<int*>(t.j)[t.nnz] = column;
  static_cast<double*>(t.x)[t.nnz++] = x;
}

void Cholesky::factor() {
  Impl& s = *impl_;
  cholmod_sparse* matrix = cholmod_triplet_to_sparse(s.entries, s.entries->nnz, &s.common);
  cholmod_free_triplet(&s.entries, &s.common);
  s.fine(matrix != nullptr, "the matrix of a crossbar");
  if (!s.factors) s.factors = cholmod_analyze(matrix, &s.common);
  const bool good = s.factors && cholmod_factorize(matrix, s.factors, &s.common);
  const bool definite = s.factors && s.factors->minor == s.factors->n;
  cholmod_free_sparse(&matrix, &s.common);
  s.fine(good && definite, "the factors of a crossbar");
}

void Cholesky::forget() { cholmod_free_factor(&impl_->factors, &impl_->common); }

std::vector<double> Cholesky::solve(const std::vector<double>& right) const {
  const Impl& s = *impl_;
  cholmod_dense* b = cholmod_allocate_dense(right.size(), 1, right.size(), CHOLMOD_REAL, &s.common);
  s.fine(b != nullptr, "the currents of a crossbar");
  std::copy(right.begin(), right.end(), static_cast<double*>(b->x));
  cholmod_dense* x = cholmod_solve(CHOLMOD_A, s.factors, b, &s.common);
  cholmod_free_dense(&b, &s.common);
  s.fine(x != nullptr, "the voltages of a crossbar");
  const double* const at = static_cast<const double*>(x->x);
  std::vector<double> out(at, at + right.size());
  cholmod_free_dense(&x, &s.common);
  return out;
}

}  // namespace spinet::circuit
