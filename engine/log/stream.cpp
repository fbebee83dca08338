#include "log/stream.hpp"

#include <algorithm>

namespace spinet::logging {

void Stream::add(h5::Id dataset, std::string path, hid_t type, std::size_t row_bytes) {
  columns_.push_back({std::move(dataset), std::move(path), type, row_bytes, {}});
  columns_.back().buffer.resize(chunk_rows_ * row_bytes);
}

void Stream::took(std::uint64_t rows) {
  buffered_ += rows;
  if (buffered_ == chunk_rows_) write();
}

void Stream::write_rest() {
  if (buffered_ > 0) write();
}

void Stream::write() {
  for (auto& c : columns_) h5::append_rows(c.dataset, written_, buffered_, c.type, c.buffer.data());
  written_ += buffered_;
  buffered_ = 0;
  dirty_ = true;
}

Rows Stream::journal_rows(std::uint32_t index, bool all) {
  const auto first = all ? written_ : std::max(written_, journaled_);
  Rows r{index, first, rows() - first, {}};
  for (const auto& c : columns_)
    r.columns.push_back(std::span<const std::byte>(c.buffer).subspan((first - written_) * c.row_bytes,
                                                                     r.count * c.row_bytes));
  journaled_ = rows();
  return r;
}

std::vector<ColumnName> Stream::names() const {
  std::vector<ColumnName> n;
  for (const auto& c : columns_) n.push_back({c.path, static_cast<std::uint32_t>(c.row_bytes)});
  return n;
}

}  // namespace spinet::logging
