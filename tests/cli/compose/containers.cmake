# skiff-compose's verbs for one container, as a user runs them.
set(compose_container_tests
  cli/compose/attach_test.cc
  cli/compose/boot_test.cc
  cli/compose/bundle_test.cc
  cli/compose/cp_attack_test.cc
  cli/compose/cp_test.cc
  cli/compose/dashboard_program_test.cc
  cli/compose/killed_test.cc
  cli/compose/lifecycle_test.cc
  cli/compose/look_test.cc
  cli/compose/namespaces_test.cc
  cli/compose/offline_test.cc
  cli/compose/run_test.cc
  cli/compose/volumes_test.cc
  cli/compose/watch_test.cc
)
set(compose_container_parts cli/background.cc cli/compose/compose_rig.cc cli/pty.cc cli/rig.cc)
add_executable(compose_container_test ${compose_container_tests} ${compose_container_parts})
set_source_files_properties(${compose_container_tests} ${compose_container_parts} PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(compose_container_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_IMAGE_PROGRAM="$<TARGET_FILE:skiff-image>" SKIFF_COMPOSE_PROGRAM="$<TARGET_FILE:skiff-compose>")
target_link_libraries(compose_container_test PRIVATE skiff_compose nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(compose_container_test skiff skiff-compose skiff-image)
gtest_discover_tests(compose_container_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 120)
