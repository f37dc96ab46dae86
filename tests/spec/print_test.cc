#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

// Every field of runtime-spec 1.3.0 for Linux, in the spec's order, as a caller of the engines' kind writes them.
constexpr std::string_view every_field =
    R"({"ociVersion":"1.2.1","process":{"terminal":true,"consoleSize":{"height":25,"width":80},)"
    R"("user":{"uid":1000,"gid":100,"umask":18,"additionalGids":[5,6],"username":"me"},"args":["sh","-c","true"],)"
    R"("env":["PATH=/bin","A="],"cwd":"/root","capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_CHOWN"],)"
    R"("inheritable":["CAP_KILL"],"permitted":["CAP_CHOWN"],"ambient":["CAP_KILL"]},)"
    R"("rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}],"noNewPrivileges":true,)"
    R"("apparmorProfile":"profile","oomScoreAdj":-500,"scheduler":{"policy":"SCHED_DEADLINE","nice":1,)"
    R"("flags":["SCHED_FLAG_RECLAIM"],"runtime":10000,"deadline":20000,"period":30000},)"
    R"("selinuxLabel":"system_u:system_r:t:s0","ioPriority":{"class":"IOPRIO_CLASS_IDLE","priority":4},)"
    R"("execCPUAffinity":{"initial":"7","final":"0-3,7"}},"root":{"path":"rootfs","readonly":true},)"
    R"("hostname":"box","domainname":"example.test","mounts":[{"destination":"/proc","type":"proc","source":"proc",)"
    R"("options":["nosuid"]},{"destination":"/data","type":"bind","source":"/srv","options":["rbind","ridmap"],)"
    R"("uidMappings":[{"containerID":0,"hostID":1000,"size":10}],"gidMappings":[{"containerID":0,"hostID":1000,)"
    R"("size":10}]}],"hooks":{"prestart":[{"path":"/a","args":["a"],"env":["A=1"],"timeout":5}],)"
    R"("createRuntime":[{"path":"/b"}],"createContainer":[{"path":"/c"}],"startContainer":[{"path":"/d"}],)"
    R"("poststart":[{"path":"/e"}],"poststop":[{"path":"/f"}]},"annotations":{"io.a":"x","io.b":"y"},)"
    R"("linux":{"uidMappings":[{"containerID":0,"hostID":1000,"size":1},{"containerID":1,"hostID":100000,)"
    R"("size":65535}],"gidMappings":[{"containerID":0,"hostID":1000,"size":1}],)"
    R"("sysctl":{"kernel.domainname":"d","net.ipv4.ip_forward":"1"},"resources":{"devices":[{"allow":false,)"
    R"("access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],"memory":{"limit":536870912,)"
    R"("reservation":536870912,"swap":536870912,"kernel":-1,"kernelTCP":-1,"swappiness":0,"disableOOMKiller":false,)"
    R"("useHierarchy":true,"checkBeforeUpdate":true},"cpu":{"shares":1024,"quota":1000000,"burst":1000000,)"
    R"("period":500000,"realtimeRuntime":950000,"realtimePeriod":1000000,"cpus":"2-3","mems":"0-7","idle":0},)"
    R"("pids":{"limit":2048},"blockIO":{"weight":10,"leafWeight":20,"weightDevice":[{"major":8,"minor":0,"weight":500,)"
    R"("leafWeight":300}],"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}],"throttleWriteBpsDevice":)"
    R"([{"major":8,"minor":0,"rate":601}],"throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":602}],)"
    R"("throttleWriteIOPSDevice":[{"major":8,"minor":16,"rate":300}]},"hugepageLimits":[{"pageSize":"2MB","limit":)"
    R"(209715200}],"network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]},)"
    R"("rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":10000}},"unified":{"memory.high":"max"}},)"
    R"("cgroupsPath":"user.slice:libpod:abc","namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"},)"
    R"({"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"user"},{"type":"cgroup"},{"type":"time"}],)"
    R"("devices":[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":438,"uid":0,"gid":0}],)"
    R"("netDevices":{"eth1":{"name":"net%d"},"eth2":{}},"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,)"
    R"("architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/agent",)"
    R"("listenerMetadata":"m","syscalls":[{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,)"
    R"("value":2114060288,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]},{"names":["mount"],"action":"SCMP_ACT_ERRNO",)"
    R"("errnoRet":1},{"names":["mknod"],"action":"SCMP_ACT_NOTIFY"}]},"rootfsPropagation":"slave",)"
    R"("maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"mountLabel":"system_u:object_r:f:s0",)"
    R"("intelRdt":{"closID":"group","schemata":["L3:0=7f0"],"l3CacheSchema":"L3:0=7","memBwSchema":"MB:0=20",)"
    R"("enableMonitoring":true},"memoryPolicy":{"mode":"MPOL_INTERLEAVE","nodes":"2-3","flags":)"
    R"(["MPOL_F_STATIC_NODES"]},"personality":{"domain":"LINUX32","flags":["x"]},)"
    R"("timeOffsets":{"boottime":{"secs":-5},"monotonic":{"secs":1,"nanosecs":2}}}})";

TEST(Print, EveryFieldComesBackAsItWasWritten) {
  const Parsed parsed = parse_config(every_field);
  EXPECT_TRUE(no_finding(check(parsed)));
  EXPECT_EQ(print_config(parsed.config, false), every_field);
}

TEST(Print, APrettyDocumentHoldsTheSame) {
  const Config config = parse_config(every_field).config;
  const std::string pretty = print_config(config, true);
  EXPECT_TRUE(pretty.starts_with("{\n\t\"ociVersion\": \"1.2.1\",\n\t\"process\": {\n\t\t\"terminal\": true"));
  EXPECT_EQ(print_config(parse_config(pretty).config, false), every_field);
}

TEST(Print, AProcessComesBackAsItWasWritten) {
  const Process process = *parse_config(every_field).config.process;
  const std::string text = print_process(process);
  const ParsedProcess parsed = parse_process(text);
  EXPECT_TRUE(no_finding(check(parsed)));
  EXPECT_EQ(print_process(parsed.process), text);
}

class Scratch {
 public:
  Scratch() {
    std::string pattern = "/tmp/skiff-spec-test-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  [[nodiscard]] const std::string &path() const { return path_; }

 private:
  std::string path_;
};

// The template another runtime writes, if it is installed.
std::string runc_spec(const std::string &flags) {
  const Scratch scratch;
  const std::string command = "runc spec " + flags + " --bundle " + scratch.path() + " >/dev/null 2>&1";
  if (system(command.c_str()) != 0) return {};
  std::ifstream file(scratch.path() + "/config.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Print, WhatRuncSpecWritesComesBackAsItWasWritten) {
  for (const char *flags : {"", "--rootless"}) {
    const std::string text = runc_spec(flags);
    if (text.empty()) GTEST_SKIP() << "runc is not installed";
    const Parsed parsed = parse_config(text);
    EXPECT_TRUE(no_finding(check(parsed)));
    EXPECT_EQ(print_config(parsed.config, true), text.substr(0, text.find_last_of('}') + 1));
  }
}

}  // namespace

}  // namespace skiff::spec
