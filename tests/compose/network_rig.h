// A network namespace of the test's own, in which the host's part of a network is made, and what a container does in
// its namespace, done by a child of the test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "compose/network.h"
#include "compose/program.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {

class NetworkTest : public ::testing::Test {
 protected:
  void SetUp() override;
  // Whatever a test does, nothing may stay: neither process, nor interface, nor rule.
  void TearDown() override;

  [[nodiscard]] NetworkRecord make_network(const std::string &name) const;
  [[nodiscard]] NetworkState attach(const std::string &container, const std::string &network,
                                    const std::vector<Port> &ports = {});
  // All of it, as a start does.
  [[nodiscard]] Result<NetworkState> attach_as(const NetworkRequest &request) const;

  Places places_;

 private:
  TemporaryDirectory directory_;
  std::string rules_before_;
  bool runs_ = false;
};

// A program of $PATH, which has to succeed.
void call(const Words &words, const std::string &input = {});

// What `inside` returns, run by a child in the namespace at the path; empty for no_namespace: here.
[[nodiscard]] std::string run_inside(const std::string &path, const std::function<std::string()> &inside);

// The first address that a name server tells for a name, or its answer's code: "NXDOMAIN" is 3.
[[nodiscard]] std::string ask_name(const std::string &server, const std::string &name);
// The address, asked for again until it is known: aardvark-dns learns of a new container by a signal.
[[nodiscard]] std::string find_name(const std::string &server, const std::string &name);

// A child that answers one connection (tcp) or one datagram (udp) on the port with "hello" and where it came from.
[[nodiscard]] kernel::Child serve(const std::string &path, const std::string &protocol, std::uint16_t port);
// What a connection to there says; "no answer" in that time.
[[nodiscard]] std::string talk_to(const std::string &protocol, const std::string &address, std::uint16_t port,
                                  std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace skiff::compose
