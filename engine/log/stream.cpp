#include "log/stream.hpp"

#include <algorithm>

namespace spinet::logging {

void Stream::add(h5::Id dataset, std::string path, std::size_t element_bytes, std::size_t width,
                 std::size_t chunk_width) {
  const std::size_t row_bytes = element_bytes * std::max<std::size_t>(width, 1);
  columns_.push_back({std::move(dataset), std::move(path), element_bytes, width, chunk_width, row_bytes, {}});
}

std::uint64_t Stream::room(std::uint64_t wanted) {
  const std::uint64_t n = std::min(wanted, chunk_rows_ - buffered_);
  if (buffered_ + n > room_) {
    room_ = std::min(chunk_rows_, std::max(buffered_ + n, 2 * room_));
    for (auto& c : columns_) c.buffer.resize(room_ * c.row_bytes);
  }
  return n;
}

void Stream::took(std::uint64_t rows) {
  buffered_ += rows;
  if (buffered_ == chunk_rows_) write();
}

void Stream::write_rest() {
  if (buffered_ > 0) write();
  for (auto& c : columns_) std::vector<std::byte>().swap(c.buffer);
  room_ = 0;
}

void Stream::write() {
  for (auto& c : columns_) {
    // What the last chunk of a dataset holds past its end is zero.
    c.buffer.resize(buffered_ * c.row_bytes);
    c.buffer.resize(chunk_rows_ * c.row_bytes);
    h5::set_rows(c.dataset, written_ + buffered_);
    for (std::size_t at = 0; at < std::max<std::size_t>(c.width, 1); at += c.chunk_width)
      written_bytes_ += write_chunk(c, at);
  }
  room_ = chunk_rows_;
  written_ += buffered_;
  buffered_ = 0;
  dirty_ = true;
}

std::size_t Stream::write_chunk(const Column& c, std::size_t first_element) {
  const std::size_t chunk_row_bytes = c.chunk_width * c.element_bytes;
  std::vector<std::byte> piece;
  std::span<const std::byte> chunk(c.buffer);
  if (chunk_row_bytes != c.row_bytes) {
    const std::size_t from = first_element * c.element_bytes,
                      n = std::min(chunk_row_bytes, c.row_bytes - from);
    piece.resize(chunk_rows_ * chunk_row_bytes);
    for (std::uint64_t r = 0; r < chunk_rows_; ++r)
      std::copy_n(c.buffer.data() + r * c.row_bytes + from, n, piece.data() + r * chunk_row_bytes);
    chunk = piece;
  }
  const hsize_t at[2] = {written_, first_element};
  const std::span<const hsize_t> position(at, c.width ? 2 : 1);
  if (packer_) chunk = packer_->pack(chunk, c.element_bytes);
  h5::write_chunk(c.dataset, position, chunk);
  return chunk.size();
}

Rows Stream::rows_from(std::uint32_t index, std::uint64_t first) {
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
