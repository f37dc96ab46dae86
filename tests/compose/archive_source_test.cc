// CTST.md, "Image sources": tar:// and https:// become images of the store.
#include "compose/archive_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <optional>

#include "runtime/kernel/path.h"
#include "spec/sha256.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

class ArchiveSourceTest : public testing::Test {
 protected:
  ArchiveSourceTest() {
    engine_.image = {*find_program("skiff-image"), "--store", path("store")};
    call({"/bin/mkdir", "-p", path("root/etc")});
    call({"/bin/sh", "-c", "echo hello > " + path("root/etc/motd")});
    call({"/bin/tar", "-C", path("root"), "-czf", path("root.tar.gz"), "."});
  }

  [[nodiscard]] std::string path(const std::string &name) const { return directory_.path() + "/" + name; }
  static std::string call(const Words &words) {
    const Result<std::string> out = call_program(words);
    EXPECT_TRUE(out) << out.error().message();
    return out.value_or("");
  }
  std::string image(std::initializer_list<std::string> words) { return call(engine_.run_image(words)); }
  // The one file of the image, through an unpacked root filesystem.
  std::string motd(const std::string &name) {
    const std::string out = path("out");
    call({"/bin/rm", "-rf", out});
    image({"--quiet", "unpack", "--rootfs-only", "--pull", "never", name, out});
    return call({"/bin/cat", out + "/etc/motd"});
  }

  TemporaryDirectory directory_;
  Engine engine_;
};

TEST_F(ArchiveSourceTest, EachKindOfArchiveIsTaken) {
  image({"--quiet", "import", path("root.tar.gz"), "localhost/made:1"});
  image({"--quiet", "copy", "localhost/made:1", "oci-archive:" + path("oci.tar")});
  image({"--quiet", "copy", "localhost/made:1", "docker-archive:" + path("docker.tar") + ":made:1"});
  for (const char *file : {"root.tar.gz", "oci.tar", "docker.tar"}) {
    const Result<std::string> name = store_archive(engine_, "tar://" + path(file));
    ASSERT_TRUE(name) << name.error().message();
    EXPECT_EQ(motd(*name), "hello\n") << file;
    EXPECT_EQ(*store_archive(engine_, "tar://" + path(file)), *name);
  }
}

// CTST.md: any source may carry @sha256:..., which is enforced.
TEST_F(ArchiveSourceTest, ADigestIsEnforced) {
  const std::string digest = call({"/usr/bin/sha256sum", path("root.tar.gz")}).substr(0, 64);
  EXPECT_TRUE(store_archive(engine_, "tar://" + path("root.tar.gz") + "@sha256:" + digest));
  const std::string wrong = spec::sha256_hex("other");
  const std::string source = "tar://" + path("root.tar.gz") + "@sha256:" + wrong;
  EXPECT_EQ(store_archive(engine_, source).error().message(),
            "image " + source + ": " + path("root.tar.gz") + ": its digest is sha256:" + digest +
                ", not sha256:" + wrong + "; it is another archive, or it is damaged");
}

TEST_F(ArchiveSourceTest, OfflineOnlyTheCacheCounts) {
  const std::string digest = call({"/usr/bin/sha256sum", path("root.tar.gz")}).substr(0, 64);
  const std::string source = "https://host.example/root.tar.gz@sha256:" + digest;
  const ArchiveOptions options{.offline = true, .cache_directory = path("cache")};
  EXPECT_EQ(store_archive(engine_, source, options).error().message(),
            "image " + source + ": https://host.example/root.tar.gz is not in " + path("cache") +
                ", and --offline refuses to fetch it: no route to host");
  call({"/bin/mkdir", path("cache")});
  call({"/bin/cp", path("root.tar.gz"), path("cache/") + digest});
  const Result<std::string> name = store_archive(engine_, source, options);
  ASSERT_TRUE(name) << name.error().message();
  EXPECT_EQ(motd(*name), "hello\n");
}

// A server of openssl's on loopback, with an authority of its own.
class ArchiveServer {
 public:
  explicit ArchiveServer(const std::string &folder) {
    const Words make = {"/usr/bin/openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-nodes",
                        "-days",
                        "2",
                        "-subj",
                        "/CN=localhost",
                        "-addext",
                        "subjectAltName=DNS:localhost",
                        "-keyout",
                        folder + "/key",
                        "-out",
                        folder + "/certificate"};
    EXPECT_TRUE(call_program(make));
    kernel::Pipe output = kernel::pipe2().value();
    process_ = start_program({"/bin/sh", "-c",
                              "cd " + folder +
                                  " && exec openssl s_server -accept 127.0.0.1:0 -key key "
                                  "-cert certificate -WWW -4"},
                             {.in = kernel::no_fd, .out = output.write, .err = kernel::no_fd})
                   .value();
    output.write.reset();
    // "ACCEPT 127.0.0.1:PORT"
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find('\n', std::min(text.find("ACCEPT "), text.size())) == std::string::npos) {
      const std::size_t count = kernel::read_some(output.read, buffer).value_or(0);
      if (count == 0) break;
      text.append(buffer.data(), count);
    }
    const std::size_t colon = text.find(':', text.find("ACCEPT "));
    port_ = std::to_string(std::atoi(text.substr(std::min(colon + 1, text.size())).c_str()));
  }

  [[nodiscard]] std::string url(const std::string &name) const { return "https://localhost:" + port_ + "/" + name; }

 private:
  kernel::Child process_;  // killed with it
  std::string port_;
};

TEST_F(ArchiveSourceTest, AnArchiveByHttpsIsFetchedOnceAndChecked) {
  for (const char *program : {"/usr/bin/openssl", "/usr/bin/curl"}) {
    if (!kernel::faccessat(kernel::cwd, program, X_OK)) GTEST_SKIP() << "needs " << program;
  }
  std::optional<ArchiveServer> server(directory_.path());
  const std::string digest = call({"/usr/bin/sha256sum", path("root.tar.gz")}).substr(0, 64);
  const std::string source = server->url("root.tar.gz") + "@sha256:" + digest;
  const ArchiveOptions options{.offline = false, .cache_directory = path("cache")};
  // An authority that nobody knows.
  EXPECT_NE(store_archive(engine_, source, options).error().message().find("certificate"), std::string::npos);
  ASSERT_EQ(::setenv("CURL_CA_BUNDLE", path("certificate").c_str(), 1), 0);
  const Result<std::string> name = store_archive(engine_, source, options);
  ASSERT_TRUE(name) << name.error().message();
  EXPECT_EQ(motd(*name), "hello\n");
  const std::string other = server->url("root.tar.gz") + "@sha256:" + spec::sha256_hex("other");
  EXPECT_NE(store_archive(engine_, other, options).error().message().find("its digest is sha256:" + digest),
            std::string::npos);
  EXPECT_FALSE(store_archive(engine_, server->url("none") + "@sha256:" + spec::sha256_hex("none"), options));
  const std::string bare = server->url("root.tar.gz");
  EXPECT_EQ(store_archive(engine_, bare, options).error().remedy, "add @sha256:DIGEST");
  // From the cache, without anybody to ask.
  server.reset();
  image({"--quiet", "rm", *name});
  EXPECT_TRUE(store_archive(engine_, source, options));
}

TEST_F(ArchiveSourceTest, WhatIsNoArchiveIsTold) {
  EXPECT_EQ(store_archive(engine_, "tar:///nowhere.tar").error().number, ENOENT);
  EXPECT_EQ(store_archive(engine_, "tar://" + path("root")).error().remedy, "a folder is file://");
}

}  // namespace
}  // namespace skiff::compose
