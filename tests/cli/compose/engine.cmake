# skiff-compose, driven as a user drives it.
set(compose_program_tests
  cli/compose/bad_input_test.cc
  cli/compose/config_test.cc
  cli/compose/ctst_program_test.cc
  cli/compose/dry_run_test.cc
  cli/compose/health_test.cc
  cli/compose/hooks_test.cc
  cli/compose/images_test.cc
  cli/compose/network_program_test.cc
  cli/compose/project_test.cc
  cli/compose/restart_test.cc
  cli/compose/service_run_test.cc
  cli/compose/user_ids_test.cc
  cli/compose/user_network_program_test.cc
  cli/compose/ways_out_test.cc
)
# What tries to leave: static, for the rootfs has no loader.
add_executable(ways_out cli/compose/ways_out.cc)
target_link_options(ways_out PRIVATE -static)
set(compose_program_parts
  cli/background.cc
  cli/compose/engine_rig.cc
  cli/compose/project_program.cc
  cli/compose/remove_containers.cc
  cli/compose/user_rig.cc
  cli/rig.cc
  imgtool/debian_registry.cc
  runtime/kernel/isolated.cc
)
add_executable(compose_program_test ${compose_program_tests} ${compose_program_parts})
set_source_files_properties(${compose_program_tests} cli/background.cc cli/compose/engine_rig.cc
  cli/compose/project_program.cc cli/compose/remove_containers.cc cli/compose/user_rig.cc PROPERTIES
  COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(compose_program_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_COMPOSE_PROGRAM="$<TARGET_FILE:skiff-compose>" SKIFF_IMAGE_PROGRAM="$<TARGET_FILE:skiff-image>"
  SKIFF_COMPOSE_SHOP="${CMAKE_CURRENT_LIST_DIR}/shop" SKIFF_WAYS_OUT="$<TARGET_FILE:ways_out>")
target_link_libraries(compose_program_test PRIVATE skiff_kernel nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(compose_program_test skiff skiff-image skiff-compose ways_out)
gtest_discover_tests(compose_program_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 120)

# The first time it makes the images: two minutes on two cores.
add_test(NAME compose.example COMMAND ${CMAKE_CURRENT_LIST_DIR}/example ${PROJECT_BINARY_DIR})
add_test(NAME compose.example_user COMMAND ${CMAKE_CURRENT_LIST_DIR}/example ${PROJECT_BINARY_DIR} user)
set_tests_properties(compose.example compose.example_user PROPERTIES LABELS program SKIP_RETURN_CODE 77 TIMEOUT 600)
