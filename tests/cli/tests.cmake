# One behaviour a file.
set(program_tests
  cli/affinity_test.cc
  cli/bad_input_test.cc
  cli/cgroup_disabled_test.cc
  cli/cgroup_v1_limits_test.cc
  cli/cgroup_v2_limits_test.cc
  cli/cgroup_v2_test.cc
  cli/checkpoint_test.cc
  cli/cve_devices_test.cc
  cli/cve_exec_test.cc
  cli/cve_mounts_test.cc
  cli/device_nodes_test.cc
  cli/exec_cgroup_test.cc
  cli/exec_test.cc
  cli/failure_text_test.cc
  cli/findings_test.cc
  cli/flags_test.cc
  cli/foreground_test.cc
  cli/foreign_config_test.cc
  cli/hook_test.cc
  cli/host_mounts_test.cc
  cli/kernel_names_test.cc
  cli/keyring_test.cc
  cli/kill_test.cc
  cli/killed_create_test.cc
  cli/lifecycle_test.cc
  cli/list_test.cc
  cli/logging_test.cc
  cli/memory_policy_test.cc
  cli/mount_targets_test.cc
  cli/mounts_test.cc
  cli/namespaces_test.cc
  cli/net_devices_test.cc
  cli/notify_test.cc
  cli/pause_test.cc
  cli/pidfd_socket_test.cc
  cli/privileged_fields_test.cc
  cli/process_fields_test.cc
  cli/protected_paths_test.cc
  cli/race_test.cc
  cli/rootfs_propagation_test.cc
  cli/rootless_test.cc
  cli/run_test.cc
  cli/seccomp_test.cc
  cli/systemd_test.cc
  cli/terminal_test.cc
  cli/update_test.cc
  cli/user_namespace_test.cc
)
set(program_test_parts
  cli/background.cc
  cli/checkpoint.cc
  cli/inside.cc
  cli/pty.cc
  cli/rig.cc
)
# Programs that tests put into the rootfs.
foreach(inside raw_call notify_call)
  add_executable(${inside} cli/${inside}.cc)
  # The sanitizers have no static form.
  target_compile_options(${inside} PRIVATE -fno-sanitize=all)
  target_link_options(${inside} PRIVATE -static -fno-sanitize=all)
endforeach()
add_executable(program_test ${program_tests} ${program_test_parts})
# After the runtime's own flags: the tests may throw.
set_source_files_properties(${program_tests} ${program_test_parts} PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(program_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_RAW_CALL="$<TARGET_FILE:raw_call>" SKIFF_NOTIFY_CALL="$<TARGET_FILE:notify_call>")
target_link_libraries(program_test PRIVATE skiff_runtime skiff_cli nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(program_test skiff raw_call notify_call)
gtest_discover_tests(program_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 120)

# skiff-image, driven as a user drives it, and read by other tools.
add_test(NAME image.program
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/image/program $<TARGET_FILE:skiff-image> $<TARGET_FILE:skiff>)
set_tests_properties(image.program PROPERTIES LABELS program SKIP_RETURN_CODE 77 TIMEOUT 120)
add_test(NAME image.registry
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/image/registry $<TARGET_FILE:skiff-image> $<TARGET_FILE:skiff>)
set_tests_properties(image.registry PROPERTIES LABELS program SKIP_RETURN_CODE 77 TIMEOUT 120)
# skiff-image, as its users run it.
set(image_program_tests
  cli/image/build_test.cc
  cli/image/minimal_test.cc
  cli/image/unpack_test.cc
)
set(image_program_parts
  cli/image/image_rig.cc
  cli/rig.cc
)
add_executable(image_program_test ${image_program_tests} ${image_program_parts})
set_source_files_properties(${image_program_tests} cli/image/image_rig.cc PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(image_program_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_IMAGE_PROGRAM="$<TARGET_FILE:skiff-image>")
target_link_libraries(image_program_test PRIVATE skiff_kernel nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(image_program_test skiff skiff-image)
gtest_discover_tests(image_program_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 120)

include(cli/compose/flags.cmake)
include(cli/compose/containers.cmake)
