// Images from files that the test writes: what is read, and every reason why a file is refused.
#include "images/images.hpp"

#include <unistd.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <limits>

#include "log/new_file.hpp"

using namespace spinet;
using images::Images;
using images::Part;

namespace {

namespace fs = std::filesystem;

/// A folder that goes with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("spinet_images_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
  void write_gz(const char* name, const std::string& bytes) const {
    const gzFile f = gzopen((path / name).c_str(), "wb");
    gzwrite(f, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(f);
  }
  std::string bytes_of(const char* name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

std::string idx(int type, std::initializer_list<std::uint32_t> shape, const std::string& bytes) {
  std::string file{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (const auto n : shape)
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(n >> shift & 255);
  return file + bytes;
}

std::string npy(const std::string& dictionary, const std::string& bytes, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  file += static_cast<char>(dictionary.size() & 255);
  file += static_cast<char>(dictionary.size() >> 8);
  if (version > 1) file += std::string(2, '\0');
  return file + dictionary + bytes;
}

template <class T>
std::string raw(std::initializer_list<T> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(T)};
}

/// Three images of 2 x 2.
const std::string pixels{"\x00\x01\x02\x03\xff\xfe\xfd\xfc\x33\x66\x99\xcc", 12};
const std::string labels{"\x02\x00\x01", 3};

void write_good(const Folder& f) {
  f.write("train-images-idx3-ubyte", idx(8, {3, 2, 2}, pixels));
  f.write_gz("train-labels-idx1-ubyte.gz", idx(8, {3}, labels));
}

std::string reason(const Folder& f, std::uint32_t classes = 0, Part part = Part::train) {
  try {
    images::read(f.path, part, classes);
  } catch (const images::Error& e) {
    return e.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("images of IDX files, packed and plain") {
  const Folder f;
  write_good(f);
  const auto all = images::read(f.path, Part::train, 0);
  CHECK(all.count == 3);
  CHECK(all.shape == layers::Shape{1, 2, 2});
  CHECK(all.bytes == std::vector<std::uint8_t>(pixels.begin(), pixels.end()));
  CHECK(all.labels == std::vector<std::uint32_t>{2, 0, 1});
  CHECK(all.classes == 3);
  CHECK(images::read(f.path, Part::train, 10).classes == 10);
  f.write_gz("train-images-idx3-ubyte.gz", idx(8, {3, 2, 2}, pixels));  // beside what it was unpacked to
  CHECK(images::fingerprint(images::read(f.path, Part::train, 0)) == images::fingerprint(all));
  auto other = all;
  other.labels[1] = 1;
  CHECK(images::fingerprint(other) != images::fingerprint(all));
  std::swap(other.labels[0], other.labels[1]);
  CHECK(images::fingerprint(other) != images::fingerprint(all));
}

TEST_CASE("images go into inputs of their shape, of more channels, and flat ones") {
  const Folder f;
  write_good(f);
  const auto all = images::read(f.path, Part::train, 0);
  const auto laid = [&](layers::Shape input, std::vector<std::uint32_t> which) {
    REQUIRE(images::misfit(all, input).empty());
    std::vector<float> to(input.size() * which.size(), -1);
    images::lay_out(all, input, which, to);
    return to;
  };
  const std::vector<float> last{51 / 255.0f, 102 / 255.0f, 153 / 255.0f, 204 / 255.0f};
  CHECK(laid({1, 2, 2}, {2}) == last);
  CHECK(laid({4, 1, 1}, {2}) == last);
  auto twice = last;
  twice.insert(twice.end(), last.begin(), last.end());
  CHECK(laid({2, 2, 2}, {2}) == twice);
  CHECK(laid({1, 2, 2}, {2, 2}) == twice);
  CHECK(images::misfit(all, layers::Shape{3, 4, 2}) ==
        "images are 1 x 2 x 2 (channels, rows, columns), the input is 3 x 4 x 2");
  CHECK_FALSE(images::misfit(all, layers::Shape{8, 1, 1}).empty());
}

TEST_CASE("images of NPY and HDF5 files") {
  const Folder f;
  f.write("test-images.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2, 1, 1), }\n",
                                 raw<double>({0, 0.5, -1, 2})));
  f.write("test-labels.npy",
          npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", raw<std::int64_t>({1, 0}), 2));
  const auto all = images::read(f.path, Part::test, 0);
  CHECK(all.shape == layers::Shape{2, 1, 1});
  CHECK(all.numbers == std::vector<float>{0, 0.5, -1, 2});
  CHECK(all.labels == std::vector<std::uint32_t>{1, 0});

  logging::write_hdf5(f.path / "train.h5", [](hid_t file) {
    const hsize_t shape[] = {2, 2, 2};
    const std::vector<std::uint8_t> stored{0, 1, 2, 3, 4, 5, 6, 7};
    h5::write_dataset(file, "images", h5::type_of<std::uint8_t>(), shape, stored.data());
    const std::vector<std::int32_t> whole{1, 0};
    h5::write_dataset(file, "labels", std::span(whole));
  });
  const auto h5 = images::read(f.path, Part::train, 2);
  CHECK(h5.shape == layers::Shape{1, 2, 2});
  CHECK(h5.bytes == std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(h5.labels == std::vector<std::uint32_t>{1, 0});

  logging::write_hdf5(f.path / "train.h5", [](hid_t file) {
    const hsize_t shape[] = {2, 3};
    const std::vector<std::int32_t> stored(6);
    h5::write_dataset(file, "images", h5::type_of<std::int32_t>(), shape, stored.data());
  });
  CHECK_THAT(reason(f), Catch::Contains("train.h5: dataset images has another type than uint8"));
}

TEST_CASE("files of images that are refused, and why") {
  const Folder f;
  CHECK_THAT(reason(f), Catch::EndsWith("has no training images: neither train-images-idx3-ubyte[.gz] nor "
                                        "train-images.npy nor train.h5, and no recorded spikes: no "
                                        "train.csv"));
  write_good(f);
  CHECK_THAT(reason(f, 0, Part::test), Catch::Contains("has no test images"));
  CHECK_THAT(reason(f, 2), Catch::EndsWith("train-labels-idx1-ubyte.gz: image 0 has the label 2; there are 2 "
                                           "classes, counted from 0"));
  const auto images_are = [&](const std::string& bytes, const char* why) {
    f.write("train-images-idx3-ubyte", bytes);
    CHECK_THAT(reason(f), Catch::Contains("train-images-idx3-ubyte: ") && Catch::Contains(why));
  };
  images_are("", "is truncated: it ends before its first four bytes");
  images_are("PNG\n", "is no IDX file: it begins with 50 4e 47 0a");
  images_are(idx(8, {3, 2, 2}, pixels).substr(0, 9), "is truncated: it ends before its dimensions");
  images_are(idx(13, {3, 2, 2}, pixels), "has numbers of IDX type 0x0d");
  images_are(idx(8, {3}, labels), "has 1 dimensions; images have 2 to 4");
  images_are(idx(8, {3, 2, 2}, pixels.substr(1)), "is truncated: it announces 3 x 2 x 2 pixels");
  images_are(idx(8, {3, 2, 2}, pixels + "x"), "announces 3 x 2 x 2 pixels (12 bytes), and goes on");
  images_are(idx(8, {3, 0, 2}, ""), "it is empty");
  images_are(idx(8, {0xffffffff, 0xffffffff, 0xffffffff}, pixels), "more than any file holds");
  images_are(idx(8, {1u << 31, 1, 1}, pixels), "is truncated: it announces 2147483648 x 1 x 1 pixels");
  write_good(f);
  f.write("train-labels-idx1-ubyte", idx(8, {2}, "12"));
  CHECK_THAT(reason(f), Catch::Contains("has 2 labels, and train-images-idx3-ubyte has 3 images"));
  f.write("train-labels-idx1-ubyte", idx(8, {3, 2, 2}, pixels));
  CHECK_THAT(reason(f), Catch::Contains("labels have one: these are images"));
  fs::remove(f.path / "train-labels-idx1-ubyte");
  fs::remove(f.path / "train-labels-idx1-ubyte.gz");
  CHECK_THAT(reason(f), Catch::Contains("train-labels-idx1-ubyte: there is no such file"));
}

TEST_CASE("packed files that end early, hold more than they say, or are damaged") {
  const Folder f;
  write_good(f);
  fs::remove(f.path / "train-images-idx3-ubyte");
  const auto packed_are = [&](const std::string& bytes, const char* why) {
    f.write("train-images-idx3-ubyte.gz", bytes);
    CHECK_THAT(reason(f), Catch::Contains("train-images-idx3-ubyte.gz: ") && Catch::Contains(why));
  };
  f.write_gz("train-images-idx3-ubyte.gz", idx(8, {3, 2, 2}, pixels + std::string(50'000'000, '\0')));
  CHECK_THAT(reason(f), Catch::Contains("announces 3 x 2 x 2 pixels (12 bytes), and goes on"));
  f.write_gz("train-images-idx3-ubyte.gz", idx(8, {1u << 20, 1u << 12, 1u << 10}, pixels));
  CHECK_THAT(reason(f), Catch::Contains("is truncated: it announces 1048576 x 4096 x 1024 pixels"));
  f.write_gz("train-images-idx3-ubyte.gz", idx(8, {3, 2, 2}, pixels));
  auto good = f.bytes_of("train-images-idx3-ubyte.gz");
  CHECK(reason(f) == "none");
  packed_are(good.substr(0, good.size() - 9), "truncated");
  packed_are(good.substr(0, good.size() - 3), "truncated");
  good[good.size() - 6] ^= 1;  // in the checksum
  packed_are(good, "is damaged");
}

TEST_CASE("NPY files that are refused, and why") {
  const Folder f;
  f.write("train-labels.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", "\1"));
  const auto are = [&](const std::string& file, const char* why) {
    f.write("train-images.npy", file);
    CHECK_THAT(reason(f), Catch::Contains("train-images.npy: ") && Catch::Contains(why));
  };
  are("NUMPYNUMPY", "is no NPY file");
  are(npy("{'descr': '|u1', 'shape': (1, 4), }", "abcd"), "its header has no 'fortran_order'");
  are(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2), }", "abcd"), "is in Fortran order");
  are(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 1), }", "abcd"),
      "has numbers of type '>f4'");
  are(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1), }", "abcd"), "has structures");
  are(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, x), }", "abcd"),
      "has a shape that is not made of whole numbers");
  are(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd"), "numbers");
  are(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "a"), "is one number and no array");
  are(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 4), }", "abc"), "is truncated");
  are(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }",
          raw<float>({std::numeric_limits<float>::quiet_NaN()})),
      "pixel 0 of image 0 is nan: no number");
  are(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
          raw<double>({0, 1, 2, 3, -1e300, 5})),
      "pixel 1 of image 1 is -1e+300, and pixels may be 3.40282e+38 at most, which is what a 4-byte float");
  are(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }",
          raw<double>({std::numeric_limits<double>::infinity()})),
      "pixel 0 of image 0 is inf: no number");
  f.write("train-images.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 4), }", "abcd"));
  CHECK(reason(f) == "none");
  f.write("train-labels.npy",
          npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", raw<std::int64_t>({-1})));
  CHECK_THAT(reason(f), Catch::Contains("train-labels.npy: image 0 has the label -1"));
  write_good(f);
  CHECK_THAT(reason(f),
             Catch::Contains("has training images twice, train-images-idx3-ubyte and train-images"));
}
