// Rows on their way to the HDF5 file: columns that grow together, buffered to whole chunks.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "log/h5.hpp"
#include "log/journal.hpp"
#include "log/pack.hpp"

namespace spinet::logging {

class Stream {
 public:
  /// Chunks of `chunk_rows` rows.  `packer`: its datasets have the filters shuffle and deflate; null: none.
  Stream(std::uint64_t chunk_rows, Packer* packer) : chunk_rows_(chunk_rows), packer_(packer) {}

  /// Adds a column of numbers of `element_bytes`, in memory as in the file: `width` to a row (0:
  /// one-dimensional) and `chunk_width` to a row of a chunk.  The dataset has no rows yet.
  void add(h5::Id dataset, std::string path, std::size_t element_bytes, std::size_t width = 0,
           std::size_t chunk_width = 1);

  /// Makes room for at most `wanted` rows and says for how many; a buffer grows with what comes, up to a
  /// chunk.  Then `column` gives typed pointers to where they go; `took` rows become part of the stream and a
  /// chunk that is full goes to HDF5.
  std::uint64_t room(std::uint64_t wanted);
  template <class T>
  T* column(std::size_t c) {
    return reinterpret_cast<T*>(columns_[c].buffer.data() + buffered_ * columns_[c].row_bytes);
  }
  void took(std::uint64_t rows);

  /// Hands the incomplete chunk to HDF5 as well, and gives the memory back: little more will come.
  void write_rest();

  std::uint64_t rows() const { return written_ + buffered_; }
  /// The first row of column `c` that HDF5 does not have; there is one if `buffered`.
  template <class T>
  const T& oldest(std::size_t c) const {
    return *reinterpret_cast<const T*>(columns_[c].buffer.data());
  }
  /// Rows that are not in the file, or neither there nor in the journal; then counts them as journaled.
  /// Spans stay valid until the next `took`.
  Rows unwritten_rows(std::uint32_t index) { return rows_from(index, written_); }
  Rows unjournaled_rows(std::uint32_t index) { return rows_from(index, std::max(written_, journaled_)); }
  bool anything_to_journal() const { return rows() > std::max(written_, journaled_); }
  std::uint64_t written() const { return written_; }
  std::uint64_t written_bytes() const { return written_bytes_; }  ///< as they lie in the file, packed
  std::uint64_t buffered() const { return buffered_; }
  /// Something was handed to HDF5 since the last `flushed`.
  bool dirty() const { return dirty_; }
  void flushed() { dirty_ = false; }
  std::vector<ColumnName> names() const;
  std::uint64_t chunk_rows() const { return chunk_rows_; }

 private:
  struct Column {
    h5::Id dataset;
    std::string path;
    std::size_t element_bytes, width, chunk_width, row_bytes;
    std::vector<std::byte> buffer;
  };
  Rows rows_from(std::uint32_t index, std::uint64_t first);
  void write();
  std::size_t write_chunk(const Column& c, std::size_t first_element);  ///< bytes
  std::vector<Column> columns_;
  std::uint64_t chunk_rows_, room_ = 0, written_ = 0, buffered_ = 0, journaled_ = 0,
                             written_bytes_ = 0;  ///< room_: rows of the buffers
  Packer* packer_;
  bool dirty_ = false;
};

}  // namespace spinet::logging
