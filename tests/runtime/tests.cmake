# What decides: values in, values out.
add_executable(decide_test
  ${CMAKE_CURRENT_LIST_DIR}/bpf_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/criu_message_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/criu_plan_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/plan_intel_rdt_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/plan_mounts_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/plan_process_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/plan_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/plan_text_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/protobuf_test.cc
)
target_link_libraries(decide_test PRIVATE skiff_decide GTest::gtest_main)
gtest_discover_tests(decide_test TEST_PREFIX decide.)

# What a host has against a bundle.
add_executable(host_check_test ${CMAKE_CURRENT_LIST_DIR}/host_check_test.cc)
target_link_libraries(host_check_test PRIVATE skiff_runtime GTest::gtest_main)
gtest_discover_tests(host_check_test TEST_PREFIX host_check.)

# The filesystem of a container.
add_executable(rootfs_test
  ${CMAKE_CURRENT_LIST_DIR}/cgroup_mount_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/copy_up_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/devices_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/idmap_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/kernel/isolated.cc
  ${CMAKE_CURRENT_LIST_DIR}/masks_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/mount_info_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/mounts_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/rootfs_stage.cc
  ${CMAKE_CURRENT_LIST_DIR}/rootfs_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/sysctl_test.cc
)
target_link_libraries(rootfs_test PRIVATE skiff_rootfs skiff_kernel skiff_spec GTest::gtest_main)
gtest_discover_tests(rootfs_test TEST_PREFIX rootfs.)

# What decides about cgroups.
add_executable(cgroup_plan_test
  ${CMAKE_CURRENT_LIST_DIR}/cgroup_plan_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/device_filter_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/gvariant_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/unit_plan_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/unit_properties_test.cc
)
target_link_libraries(cgroup_plan_test PRIVATE skiff_decide GTest::gtest_main)
gtest_discover_tests(cgroup_plan_test TEST_PREFIX cgroup_plan.)

# A container's cgroup, and what the host is.
add_executable(cgroup_test
  ${CMAKE_CURRENT_LIST_DIR}/bus_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/cgroup_stats_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/cgroup_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/host_probe_test.cc
)
target_link_libraries(cgroup_test PRIVATE skiff_cgroup GTest::gtest_main)
gtest_discover_tests(cgroup_test TEST_PREFIX cgroup.)

# A container's life, in its parts.
add_executable(runtime_test
  ${CMAKE_CURRENT_LIST_DIR}/container_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/features_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/gate_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/hooks_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/notify_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/intel_rdt_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/kernel/isolated.cc
  ${CMAKE_CURRENT_LIST_DIR}/net_devices_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/signal_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/sync_test.cc
)
target_link_libraries(runtime_test PRIVATE skiff_runtime GTest::gtest_main)
gtest_discover_tests(runtime_test TEST_PREFIX runtime.)
