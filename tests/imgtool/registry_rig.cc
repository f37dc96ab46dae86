#include "tests/imgtool/registry_rig.h"

#include <cstring>
#include <random>
#include <thread>

namespace skiff::image::testing {

RegistryRig::RegistryRig() : layout_(Layout::open(directory_.path() + "/layout", LayoutAccess::write).value()) {
  options_.authfile = directory_.path() + "/auth.json";
  options_.first_wait = std::chrono::milliseconds(1);
}

Registry RegistryRig::open(const std::string &host, const std::string &repository) {
  ImageName name;
  name.registry = host;
  name.repository = repository;
  name.tag = "latest";
  return Registry::open(name, options_, progress_).value();
}

RegistryRig::Fetched RegistryRig::fetch(Registry &registry, const spec::Descriptor &descriptor) {
  Fetched fetched;
  const Digest digest = Digest::parse(descriptor.digest).value();
  Incoming incoming = layout_.begin_blob(digest).value();
  const kernel::Fd file = kernel::dup_above(incoming.file, 3).value();
  Arrival arrival(file);
  std::string read;
  std::thread reader([&] {
    std::string buffer(65536, '\0');
    for (;;) {
      const Result<std::size_t> got = arrival.read(buffer);
      if (!got || *got == 0) break;
      read.append(buffer, 0, *got);
    }
    fetched.arrived = arrival.wait();
  });
  std::size_t told = 0;
  BlobFetch blob;
  blob.descriptor = descriptor;
  blob.incoming = &incoming;
  blob.arrival = &arrival;
  blob.ended = [&](const Status &verified) {
    ++told;
    if (!verified) return;
    EXPECT_EQ(words(layout_.commit_blob(std::move(incoming), digest)), "");
  };
  fetched.status = registry.get_blobs({std::move(blob)});
  reader.join();
  EXPECT_EQ(told, 1U);
  fetched.bytes = read;
  if (fetched.status) {
    const kernel::Fd blob_file = layout_.open_blob(digest).value();
    EXPECT_EQ(kernel::read_all(blob_file, std::size_t{1} << 30U).value(), read) << "the arrival gave other bytes";
  }
  return fetched;
}

void RegistryRig::leave_partial(const std::string &digest, std::string_view bytes) const {
  const Incoming incoming = layout_.begin_blob(Digest::parse(digest).value()).value();
  EXPECT_EQ(words(kernel::pwrite_all(incoming.file, bytes, 0)), "");
}

spec::Descriptor describe(const std::string &digest, std::size_t size) {
  spec::Descriptor descriptor;
  descriptor.media_type = "application/vnd.oci.image.layer.v1.tar";
  descriptor.digest = digest;
  descriptor.size = static_cast<std::int64_t>(size);
  return descriptor;
}

std::string make_bytes(std::size_t size) {
  std::mt19937_64 engine(7);  // the same ones each time
  std::string bytes(size + sizeof(std::uint64_t), '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = engine();
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace skiff::image::testing
