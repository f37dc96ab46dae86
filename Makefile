# What people type. CMake builds; this installs what is missing, configures and calls it.
# On a fresh Debian 12, as root, each target works by itself.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS := $(shell nproc)
PACKAGES := g++ cmake ninja-build pkg-config libseccomp-dev libdbus-1-dev nlohmann-json3-dev libfmt-dev libgtest-dev \
	libbenchmark-dev busybox-static dbus-daemon procps lld libcurl4-openssl-dev libssl-dev libarchive-dev libisal-dev \
	libzstd-dev zlib1g-dev libfyaml-dev libncurses-dev
# What the tests of skiff-image and skiff-compose talk to.
TEST_PACKAGES := docker-registry openssl skopeo umoci xz-utils bzip2 aardvark-dns iptables passt mmdebstrap curl \
	iproute2 nftables uidmap strace

# What `make conformance` judges: paths or names, with flags in quotes.
RUNTIMES ?= build/release/runtime/skiff
FUZZ_SECONDS ?= 3600

.PHONY: all build packages test-packages demo test vm-test check analyze fuzz fuzz-tree coverage bench bench-image \
	bench-compose suites clients images conformance reliability install package clean

all: build

packages:
	@.ci/packages $(PACKAGES)

test-packages:
	@.ci/packages $(PACKAGES) $(TEST_PACKAGES)

build: packages
	@mkdir -p build
	@cmake --preset release -Wno-dev >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS)

# A container from nothing, without network: a busybox bundle is run, one with a mistake is explained.
demo: build
	@tests/demo

# The tests of the release and of the sanitizer build.
test: test-packages
	@.ci/test

# The program's tests on cgroup v2 with all controllers, systemd and AppArmor, and an ordinary user's containers: in a
# virtual machine, which the first time is made from Debian's packages.
vm-test: build
	@conformance/vm/test

# What a change must pass: format, layering, shellcheck, clang-tidy, cppcheck, a minute of each fuzz target, the tests.
check:
	@.ci/run

# clang-tidy with clang's analyzer, half an hour on two cores: CI has the other checks alone.
analyze: test-packages
	@.ci/packages clang-tidy-19
	@.ci/tidy --analyze

# Every parser that reads what others write, for FUZZ_SECONDS each: a minute is a first look, an evening is 3600. With
# FUZZ_FLAGS=--fixed always the same way.
fuzz: fuzz-tree
	@tests/fuzz/run $(FUZZ_FLAGS) $(FUZZ_SECONDS)

fuzz-tree: test-packages
	@.ci/packages clang-19 libclang-rt-19-dev
	@cmake --preset fuzz -Wno-dev >/dev/null
	@cmake --build --preset fuzz --parallel $(JOBS)

# Lines and branches of the programs that the tests run, by room.
coverage: test-packages
	@.ci/packages clang-19 libclang-rt-19-dev llvm-19
	@.ci/coverage

# Podman, Buildah, containerd, its CRI plugin and Docker, of Debian's packages, with this runtime.
clients: build
	@conformance/clients/run

bench: build
	@tests/bench/run

# Real images through a registry on loopback: pulled, unpacked, compared with umoci's tree, and run.
images: build
	@conformance/images/run

# A project of nginx, a Python application, PostgreSQL, Redis and a worker: built, up, killed, down, nothing left.
example: test-packages build
	@tests/cli/compose/example build/release

# Images of checkpoints to runc and back, and a Redis that moves to another root directory and network namespace.
checkpoint: build
	@conformance/checkpoint/run

# Pull, unpack and push of skiff-image next to skopeo, umoci, Podman, containerd and Docker.
bench-image: build
	@tests/bench/image

# One container and a project of ten services: skiff-compose next to Podman and Docker with their composes.
bench-compose: build
	@tests/bench/compose

# Other projects' test suites against this runtime: runc's own and runtime-tools' validation programs. Needs root and a
# Debian mirror; the first time it makes a Debian root of its own.
suites: build
	@conformance/suites/runc build/release/runtime/skiff; runc=$$?; \
	conformance/suites/runtime-tools build/release/runtime/skiff && exit $$runc

# Every clause of the specification, against any runtimes: make conformance RUNTIMES="runc crun"
conformance: build
	@build/release/conformance/skiff-conformance $(if $(word 2,$(RUNTIMES)),--matrix) $(RUNTIMES)

# Everything that may go wrong, next to runc and crun, in one table; hours. make reliability QUICK=--quick: minutes.
reliability: build fuzz-tree
	@conformance/reliability $(QUICK)

install: build
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)" --strip

# build/release/skiff-VERSION-Linux.tar.gz and skiff_VERSION_ARCH.deb
package: build
	@cd build/release && cpack -G "TGZ;DEB"

clean:
	@rm -rf build
