#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class SeccompFlags : public ::testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  // The host's programs, with the container's own /tmp, /dev and /proc: what a profile has to let real programs do.
  std::vector<std::string> with_host(const std::string &profile) {
    std::vector<std::string> flags = {"--seccomp", profile, "--tmpfs", "/tmp:exec,mode=1777"};
    for (const char *name : {"/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc"}) {
      if (fs::exists(name)) flags.insert(flags.end(), {"-v", std::string(name) + ":" + name + ":ro"});
    }
    return flags;
  }

  FlagRig rig;
};

constexpr std::array<const char *, 3> profiles = {"default", "strict", "minimal"};

TEST_F(SeccompFlags, AFilterIsThereUnlessItIsDisabled) {
  const std::string script = "grep Seccomp: /proc/self/status | cut -f2";
  EXPECT_PRINTS(rig.run({}, script), "2\n");
  for (const char *profile : profiles) EXPECT_PRINTS(rig.run({"--seccomp", profile}, script), "2\n");
  EXPECT_PRINTS(rig.run({"--seccomp", "disabled"}, script), "0\n");
  EXPECT_PRINTS(rig.run({"--security-opt", "seccomp=unconfined"}, script), "0\n");
}

TEST_F(SeccompFlags, NoProfileLetsNamespacesAndMountsThrough) {
  for (const char *profile : profiles) {
    EXPECT_PRINTS(rig.run({"--seccomp", profile}, "unshare -U true 2>/dev/null || echo refused"), "refused\n");
    EXPECT_PRINTS(
        rig.run({"--seccomp", profile, "--cap-drop", "ALL"}, "mount -t tmpfs x /tmp 2>/dev/null || echo refused"),
        "refused\n");
  }
  EXPECT_PRINTS(rig.run({"--seccomp", "disabled"}, "unshare -U echo in"), "in\n");
}

TEST_F(SeccompFlags, ACapabilityGivesTheCallsThatNeedItInDefaultAlone) {
  const std::vector<std::string> admin = {"--cap-add", "SYS_ADMIN"};
  const std::string script = "mount -t tmpfs x /tmp 2>/dev/null && echo mounted || echo refused";
  EXPECT_PRINTS(rig.run(admin, script), "mounted\n");
  EXPECT_PRINTS(rig.run({"--cap-add", "SYS_ADMIN", "--seccomp", "strict"}, script), "refused\n");
  EXPECT_PRINTS(rig.run({"--cap-add", "SYS_ADMIN", "--seccomp", "minimal"}, script), "refused\n");
}

TEST_F(SeccompFlags, AShellAndAServerNeedNoMoreThanMinimal) {
  write_file(rig.rig().rootfs() + "/work/index.html", "hello\n");
  const std::string script =
      "cd /work; ln -s /bin/busybox /tmp/httpd; ln -s /bin/busybox /tmp/wget; busybox ifconfig lo up; "
      "/tmp/httpd -f -p 127.0.0.1:8000 -h /work & until /tmp/wget -q -O - http://127.0.0.1:8000/index.html "
      "2>/dev/null; "
      "do :; done; ls / | sort | head -1; for i in 1 2 3; do echo $i | tr 123 abc; done; "
      "dd if=/dev/zero of=/tmp/x bs=1k count=4 2>/dev/null; wc -c < /tmp/x; kill $!";
  for (const char *profile : profiles) {
    // The links are made before: minimal has no symlink(2).
    std::error_code ignored;
    for (const char *name : {"httpd", "wget"})
      fs::create_symlink("/bin/busybox", rig.rig().rootfs() + "/tmp/" + name, ignored);
    EXPECT_PRINTS(rig.run({"--seccomp", profile, "--cap-add", "NET_ADMIN"}, "exec 2>/dev/null; " + script),
                  "hello\nbin\na\nb\nc\n4096\n")
        << profile;
    fs::remove(rig.rig().rootfs() + "/tmp/x", ignored);
  }
}

constexpr const char *busy_program = R"py(exec python3 -c '
import asyncio, multiprocessing.pool, os, shutil, socket, sqlite3, subprocess, tempfile, threading, time
threads = [threading.Thread(target=time.sleep, args=(0,)) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(multiprocessing.pool.ThreadPool(2).map(abs, [-1, -2]))
print(subprocess.run(["/bin/echo", "child"], capture_output=True, text=True).stdout.strip())
a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))
with tempfile.TemporaryDirectory() as d:
    p = os.path.join(d, "f"); open(p, "w").write("t"); os.chmod(p, 0o600); shutil.copy2(p, p + "2"); os.link(p, p + "3")
    base = sqlite3.connect(os.path.join(d, "db")); base.execute("create table t(x)"); base.commit()
    print(len(os.listdir(d)))
async def main():
    server = await asyncio.start_unix_server(lambda r, w: w.close(), "/tmp/s")
    await asyncio.open_unix_connection("/tmp/s"); server.close()
asyncio.run(main())
print(os.sched_getaffinity(0) != set(), socket.gethostname() != "", os.getrandom(1) != "")
')py";

TEST_F(SeccompFlags, PythonRunsThreadsProcessesSocketsAndFiles) {
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "needs python3";
  for (const char *profile : {"default", "strict"}) {
    EXPECT_PRINTS(rig.run(with_host(profile), busy_program), "[1, 2]\nchild\nb'x'\n4\nTrue True True\n") << profile;
  }
}

struct Server {
  const char *program;
  const char *script;
  const char *output;
};

// Servers that are on this host: started, asked, and stopped.
constexpr std::array<Server, 3> servers = {{
    {"/usr/sbin/nginx",
     "mkdir /tmp/n; echo page > /tmp/n/index.html; printf 'daemon off; user root root; pid /tmp/n/pid; error_log "
     "stderr; events {} "
     "http { access_log off; client_body_temp_path /tmp/n/a; proxy_temp_path /tmp/n/b; fastcgi_temp_path /tmp/n/c; "
     "uwsgi_temp_path /tmp/n/d; scgi_temp_path /tmp/n/e; server { listen unix:/tmp/n/s; root /tmp/n; } }' > "
     "/tmp/n/c.conf; "
     "nginx -c /tmp/n/c.conf & until test -S /tmp/n/s; do :; done; "
     "python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect(\"/tmp/n/s\"); s.send(b\"GET / "
     "HTTP/1.0\\r\\n\\r\\n\"); "
     "d=b\"\"\nwhile True:\n  c=s.recv(999)\n  if not c: break\n  d+=c\nprint(d.split()[-1].decode())'; kill $!; wait",
     "page\n"},
    {"/usr/bin/redis-server",
     "redis-server --unixsocket /tmp/r --port 0 --save '' --dir /tmp >/dev/null & until redis-cli -s /tmp/r ping "
     "2>/dev/null; "
     "do :; done; redis-cli -s /tmp/r set a b; redis-cli -s /tmp/r get a; redis-cli -s /tmp/r shutdown nosave; wait",
     "PONG\nOK\nb\n"},
    {"/usr/lib/postgresql",
     "p=$(ls -d /usr/lib/postgresql/*/bin | tail -1); mkdir /tmp/d; chown 65534 /tmp/d; exec setpriv --reuid 65534 "
     "--clear-groups "
     "sh -c \"$p/initdb -D /tmp/d -A trust -U me >/dev/null; $p/pg_ctl -s -w -D /tmp/d -o '-k /tmp -h \\\"\\\"' -l "
     "/tmp/d/log start; "
     "$p/psql -h /tmp -U me -tAc 'select 6*7' postgres; $p/pg_ctl -s -w -D /tmp/d stop\"",
     "42\n"},
}};

TEST_F(SeccompFlags, ServersRunUnderDefaultAndStrict) {
  int seen = 0;
  for (const Server &server : servers) {
    if (!fs::exists(server.program)) continue;
    ++seen;
    for (const char *profile : {"default", "strict"}) {
      EXPECT_PRINTS(rig.run(with_host(profile), server.script), server.output) << server.program << " " << profile;
    }
  }
  if (seen == 0) GTEST_SKIP() << "needs nginx, redis or postgresql";
}

// Each by its number, with arguments that the kernel refuses otherwise than by EPERM. What is printed was let through.
constexpr const char *knocks = R"py(exec python3 -c '
import ctypes, platform, errno
c = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": dict(ptrace=101, add_key=248, keyctl=250, bpf=321, perf_event_open=298, kexec_load=246,
    init_module=175, clock_settime=227, swapon=167, userfaultfd=323, io_uring_setup=425, unshare=272, setns=308,
    reboot=169, syslog=103, process_vm_readv=310, open_by_handle_at=304, personality=135, acct=163, clone3=435),
  "aarch64": dict(ptrace=117, add_key=217, keyctl=219, bpf=280, perf_event_open=241, kexec_load=104,
    init_module=105, clock_settime=112, swapon=224, userfaultfd=282, io_uring_setup=425, unshare=97, setns=268,
    reboot=142, syslog=116, process_vm_readv=270, open_by_handle_at=265, personality=92, acct=89, clone3=435)}
out = []
for name, number in numbers[platform.machine()].items():
    ctypes.set_errno(0)
    given = [0x40000] if name == "personality" else [-1] * 6
    c.syscall(ctypes.c_long(number), *[ctypes.c_long(x) for x in given])
    if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS): out.append(name)
print(" ".join(sorted(out)))
')py";

TEST_F(SeccompFlags, WhatReachesTheHostIsRefused) {
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "needs python3";
  // These two see the container's own processes alone.
  EXPECT_PRINTS(rig.run(with_host("default"), knocks), "process_vm_readv ptrace\n");
  EXPECT_PRINTS(rig.run(with_host("strict"), knocks), "\n");
}

constexpr const char *families = R"py(exec python3 -c '
import socket
types = {16: socket.SOCK_RAW, 17: socket.SOCK_RAW, 38: socket.SOCK_SEQPACKET}
for family in (1, 2, 10, 16, 17, 38, 40):
    try: socket.socket(family, types.get(family, socket.SOCK_STREAM)).close()
    except PermissionError: continue
    except OSError: pass
    print(family, end=" ")
')py";

TEST_F(SeccompFlags, SocketsAreOfTheFamiliesThatAProfileHas) {
  if (!fs::exists("/usr/bin/python3")) GTEST_SKIP() << "needs python3";
  for (const auto &[profile, allowed] : {std::pair("default", "1 2 10 16 17 "), {"strict", "1 2 10 16 "}}) {
    std::vector<std::string> flags = with_host(profile);
    flags.insert(flags.end(), {"--cap-add", "NET_RAW"});
    EXPECT_PRINTS(rig.run(flags, families), allowed) << profile;
  }
}

TEST_F(SeccompFlags, AFileIsDockersFormOrTheSpecifications) {
  write_file(rig.path("oci.json"), R"({"defaultAction": "SCMP_ACT_ALLOW",
      "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]})");
  EXPECT_PRINTS(rig.run({"--seccomp", rig.path("oci.json")}, "mkdir /work/x 2>&1"),
                "mkdir: can't create directory '/work/x': Permission denied\n");
  write_file(rig.path("docker.json"), R"({"defaultAction": "SCMP_ACT_ALLOW",
      "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
      "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["unlink", "unlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "includes": {"minKernel": "200.0"}}]})");
  EXPECT_PRINTS(rig.run({"--security-opt", "seccomp=" + rig.path("docker.json")},
                        "mkdir /work/x 2>/dev/null || echo refused; touch /work/y; rm /work/y && echo removed"),
                "refused\nremoved\n");
  EXPECT_PRINTS(rig.run({"--seccomp", rig.path("docker.json"), "--cap-add", "SYS_ADMIN"}, "mkdir /work/x && echo made"),
                "made\n");
  write_file(rig.path("bad.json"), R"({"defaultAction": "SCMP_ACT_ALOW"})");
  EXPECT_NE(rig.run({"--seccomp", rig.path("bad.json")}, "true").err.find("bad.json: /defaultAction"),
            std::string::npos);
}

}  // namespace
}  // namespace skiff::rig
