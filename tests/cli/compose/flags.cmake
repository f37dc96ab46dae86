# The flags of `skiff-compose run` and what they do inside a container.
set(compose_flag_tests
  cli/compose/device_flags_test.cc
  cli/compose/mount_flags_test.cc
  cli/compose/process_flags_test.cc
  cli/compose/program_flags_test.cc
  cli/compose/resource_flags_test.cc
  cli/compose/rootless_flags_test.cc
  cli/compose/seccomp_flags_test.cc
  cli/compose/security_flags_test.cc
)
add_executable(compose_flag_test ${compose_flag_tests} cli/compose/flag_rig.cc cli/background.cc cli/rig.cc)
set_source_files_properties(${compose_flag_tests} cli/compose/flag_rig.cc cli/background.cc PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(compose_flag_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_INIT_PROGRAM="$<TARGET_FILE:skiff-init>" SKIFF_COMPOSE_PROGRAM="$<TARGET_FILE:skiff-compose>"
  SKIFF_PROGRAM_PATH="$<TARGET_FILE_DIR:skiff>:$<TARGET_FILE_DIR:skiff-image>"
  SKIFF_FLAG_TESTS="${CMAKE_CURRENT_LIST_DIR}")
target_link_libraries(compose_flag_test PRIVATE skiff_compose nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(compose_flag_test skiff skiff-compose skiff-image skiff-init)
gtest_discover_tests(compose_flag_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 120)
