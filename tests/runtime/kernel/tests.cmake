add_executable(kernel_test
  runtime/kernel/call_test.cc
  runtime/kernel/capability_test.cc
  runtime/kernel/fd_test.cc
  runtime/kernel/isolated.cc
  runtime/kernel/mount_test.cc
  runtime/kernel/namespace_test.cc
  runtime/kernel/path_test.cc
  runtime/kernel/proc_test.cc
  runtime/kernel/process_test.cc
  runtime/kernel/seccomp_test.cc
  runtime/kernel/socket_test.cc
  runtime/kernel/tree_test.cc
  runtime/kernel/tty_test.cc
)
target_link_libraries(kernel_test PRIVATE skiff_kernel skiff_spec GTest::gtest_main)
gtest_discover_tests(kernel_test)
