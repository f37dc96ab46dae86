#include "runtime/unit_properties.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace skiff {
namespace {

CgroupWrite write(const char *file, const char *value, bool keep_first_word = false) {
  CgroupWrite out;
  out.field = "field";
  out.file = file;
  out.value = value;
  out.keep_first_word = keep_first_word;
  return out;
}

std::string print(const std::vector<UnitProperty> &properties) {
  std::string out;
  for (const UnitProperty &each : properties) {
    out += each.name + "=" + print_gvariant(each.value);
    if (each.since > 0) out += fmt::format(" since {}", each.since);
    out += '\n';
  }
  return out;
}

std::string properties(std::vector<CgroupWrite> writes, UnitMoment moment = UnitMoment::start, const CpuNow &now = {}) {
  return print(make_unit_limits(writes, now, moment).properties);
}

DeviceRule device(bool allow, char type, std::int64_t major, std::int64_t minor, bool write_too = true) {
  return {.allow = allow, .type = type, .major = major, .minor = minor, .read = true, .write = write_too};
}

// systemd.resource-control(5).
TEST(UnitLimits, APeriodStaysWhereTheQuotaIsTakenBack) {
  std::vector<CgroupWrite> writes = {write("cpu.max", "max")};
  (void)make_unit_limits(writes, parse_cpu_max("600000 900000"), UnitMoment::update);
  EXPECT_EQ(writes.front().value, "max 900000");
}

TEST(UnitLimits, FilesOfV2ThatHaveAProperty) {
  EXPECT_EQ(properties({write("memory.max", "1048576"), write("memory.low", "max"), write("memory.swap.max", "0"),
                        write("memory.min", "4096"), write("memory.high", " 8192 "), write("cpu.weight", "59"),
                        write("pids.max", "20")}),
            "MemoryMax=uint64 1048576\nMemoryLow=uint64 18446744073709551615\nMemorySwapMax=uint64 0\n"
            "MemoryMin=uint64 4096 since 240\nMemoryHigh=uint64 8192\nCPUWeight=uint64 59\nTasksMax=uint64 20\n");
}

TEST(UnitLimits, FilesOfV1ThatHaveAProperty) {
  EXPECT_EQ(properties({write("memory.limit_in_bytes", "-1"), write("cpu.shares", "512"), write("blkio.weight", "500"),
                        write("blkio.throttle.read_bps_device", "8:0 1024"), write("pids.max", "max")}),
            "MemoryLimit=uint64 18446744073709551615\nCPUShares=uint64 512\nBlockIOWeight=uint64 500\n"
            "BlockIOReadBandwidth=[('/dev/block/8:0', uint64 1024)]\nTasksMax=uint64 18446744073709551615\n");
  EXPECT_EQ(properties({write("cpu.cfs_quota_us", "50000"), write("cpu.cfs_period_us", "200000")}),
            "CPUQuotaPeriodUSec=uint64 200000 since 242\nCPUQuotaPerSecUSec=uint64 250000\n");
}

TEST(UnitLimits, WhatHasNoPropertyStaysInTheFileAlone) {
  EXPECT_EQ(properties({write("hugetlb.2MB.max", "0"), write("cpu.max.burst", "5"), write("rdma.max", "a hca_handle=1"),
                        write("cgroup.max.depth", "1"), write("memory.max", "lots")}),
            "");
}

TEST(UnitLimits, NoTasksAtAllIsOne) { EXPECT_EQ(properties({write("pids.max", "0")}), "TasksMax=uint64 1\n"); }

TEST(UnitLimits, CpuListsAreMasks) {
  EXPECT_EQ(properties({write("cpuset.cpus", "0-2,9"), write("cpuset.mems", "0")}),
            "AllowedCPUs=[byte 7, 2] since 244\nAllowedMemoryNodes=[byte 1] since 244\n");
  EXPECT_EQ(properties({write("cpuset.cpus", "3-1"), write("cpuset.mems", "x")}), "");
  EXPECT_EQ(properties({write("cpuset.cpus", "4294967295")}), "");
}

TEST(UnitLimits, IoWeightsComeToTheSameWeightInSystemd) {
  EXPECT_EQ(properties({write("io.bfq.weight", "500"), write("io.bfq.weight", "8:0 50"),
                        write("io.weight", "default 7"), write("io.max", "8:16 rbps=1 wiops=max")}),
            "IOWeight=uint64 4500\nIODeviceWeight=[('/dev/block/8:0', uint64 50)]\nIOWeight=uint64 7\n"
            "IOReadBandwidthMax=[('/dev/block/8:16', uint64 1)]\n"
            "IOWriteIOPSMax=[('/dev/block/8:16', uint64 18446744073709551615)]\n");
}

TEST(UnitLimits, TheOomPolicyIsSettledAtTheStart) {
  EXPECT_EQ(properties({write("memory.oom.group", "1")}), "OOMPolicy='kill' since 253\n");
  EXPECT_EQ(properties({write("memory.oom.group", "0")}), "OOMPolicy='continue' since 253\n");
  EXPECT_EQ(properties({write("memory.oom.group", "1")}, UnitMoment::update), "");
}

TEST(UnitLimits, AQuotaBetweenTwoPercentsIsRoundedUpInTheFileToo) {
  std::vector<CgroupWrite> writes = {write("cpu.max", "600000 900000")};
  EXPECT_EQ(print(make_unit_limits(writes, {}, UnitMoment::start).properties),
            "CPUQuotaPeriodUSec=uint64 900000 since 242\nCPUQuotaPerSecUSec=uint64 670000\n");
  EXPECT_EQ(writes.front().value, "603000 900000");
  writes = {write("cpu.cfs_quota_us", "600000"), write("cpu.cfs_period_us", "900000")};
  (void)make_unit_limits(writes, {}, UnitMoment::start);
  EXPECT_EQ(writes.front().value, "603000");
  writes = {write("cpu.max", "50000")};
  (void)make_unit_limits(writes, {}, UnitMoment::start);
  EXPECT_EQ(writes.front().value, "50000");
}

TEST(UnitLimits, QuotaAndPeriodAreOneToSystemd) {
  const CpuNow now = parse_cpu_max("20000 50000");
  EXPECT_EQ(properties({write("cpu.max", "40000")}, UnitMoment::update, now),
            "CPUQuotaPeriodUSec=uint64 50000 since 242\nCPUQuotaPerSecUSec=uint64 800000\n");
  EXPECT_EQ(properties({write("cpu.max", "100000", true)}, UnitMoment::update, now),
            "CPUQuotaPeriodUSec=uint64 100000 since 242\nCPUQuotaPerSecUSec=uint64 200000\n");
  EXPECT_EQ(properties({write("cpu.max", "max 100000")}, UnitMoment::update, now),
            "CPUQuotaPeriodUSec=uint64 100000 since 242\nCPUQuotaPerSecUSec=uint64 18446744073709551615\n");
  EXPECT_EQ(parse_cpu_max("max 70000").quota, -1);
}

TEST(UnitLimits, IdleIsAWeightOfNought) {
  EXPECT_EQ(properties({write("cpu.idle", "1")}), "CPUWeight=uint64 0 since 252\n");
  EXPECT_EQ(properties({write("cpu.idle", "0")}), "");
  EXPECT_EQ(properties({write("cpu.idle", "0")}, UnitMoment::update, {.idle = true}), "CPUWeight=uint64 100\n");
  EXPECT_EQ(properties({write("cpu.idle", "0"), write("cpu.weight", "9")}, UnitMoment::update, {.idle = true}),
            "CPUWeight=uint64 9\n");
}

TEST(UnitLimits, OfIdleAndAWeightTheWeightIsLeftOutWithAWarning) {
  std::vector<CgroupWrite> writes = {write("cpu.idle", "1"), write("cpu.weight", "8")};
  const UnitLimits limits = make_unit_limits(writes, {}, UnitMoment::update);
  EXPECT_EQ(print(limits.properties), "CPUWeight=uint64 0 since 252\n");
  ASSERT_EQ(limits.warnings.size(), 1U);
  EXPECT_NE(limits.warnings.front().find("unable to apply both"), std::string::npos);
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes.front().file, "cpu.idle");
}

TEST(UnitLimits, SharesBesideIdleAreLeftOutWithAWarning) {
  spec::Resources resources;
  resources.cpu.emplace();
  resources.cpu->shares = 200;
  resources.cpu->idle = 1;
  CgroupDirectory directory;
  directory.unified = true;
  auto writes = make_cgroup_writes(resources, {directory}, true);
  ASSERT_TRUE(writes);
  const UnitLimits limits = make_unit_limits(*writes, {}, UnitMoment::update);
  EXPECT_EQ(print(limits.properties), "CPUWeight=uint64 0 since 252\n");
  ASSERT_EQ(limits.warnings.size(), 1U);
  EXPECT_NE(limits.warnings.front().find("unable to apply both"), std::string::npos);
}

// systemd.resource-control(5), DeviceAllow=.
TEST(UnitDevices, AllowRulesAreAList) {
  EXPECT_EQ(print(make_device_properties({device(false, 'a', -1, -1), device(true, 'c', 1, 3),
                                          device(true, 'b', 8, -1, false), device(true, 'c', -1, -1)},
                                         true)),
            "DevicePolicy='strict'\nDeviceAllow=@a(ss) []\n"
            "DeviceAllow=[('/dev/char/1:3', 'rw'), ('block-8', 'r'), ('char-*', 'rw')]\n");
}

TEST(UnitDevices, WhatSystemdHasNoWordsForIsLeftToTheProgramOnV2AndDeniedOnV1) {
  for (const std::vector<DeviceRule> &rules :
       {std::vector{device(true, 'a', -1, -1), device(false, 'c', 1, 3)}, std::vector{device(true, 'c', -1, 3)}}) {
    EXPECT_EQ(print(make_device_properties(rules, true)), "DevicePolicy='auto'\nDeviceAllow=@a(ss) []\n");
    EXPECT_EQ(print(make_device_properties(rules, false)), "DevicePolicy='strict'\nDeviceAllow=@a(ss) []\n");
  }
}

TEST(UnitDevices, EverythingAllowedNeedsNoFilter) {
  EXPECT_EQ(print(make_device_properties({device(true, 'a', -1, -1)}, false)),
            "DevicePolicy='auto'\nDeviceAllow=@a(ss) []\n");
}

}  // namespace
}  // namespace skiff
