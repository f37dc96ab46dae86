add_executable(compose_test
  ${CMAKE_CURRENT_LIST_DIR}/address_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/archive_source_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/changes_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/convert_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/copy_paths_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_imports_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_rig.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_sample_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_service_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_syntax_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_wiring_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/dashboard_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/finding_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/health_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/host_service_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/interpolate_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/load_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/log_view_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/long_sleep_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/lower_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/name_files_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/network_rig.cc
  ${CMAKE_CURRENT_LIST_DIR}/network_rules_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/network_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/order_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/parallel_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/picture_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/program_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/project_images_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/project_rig.cc
  ${CMAKE_CURRENT_LIST_DIR}/restart_policy_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/run_flags_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/schedule_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/secrets_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/shapes_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/show_text_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tcp_relay_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tree_watch_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/up_steps_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/user_network_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/volume_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/watch_filter_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/yaml_test.cc
)
# What is not there throws, which is how a case is shown to be able to fail.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/lower_test.cc ${CMAKE_CURRENT_LIST_DIR}/run_flags_test.cc
  PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_compile_definitions(compose_test PRIVATE SKIFF_PROJECT_HEADER="${CMAKE_SOURCE_DIR}/compose/project.h")
target_compile_definitions(compose_test PRIVATE SKIFF_CTST_SAMPLES="${CMAKE_CURRENT_LIST_DIR}/ctst")
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/shapes_test.cc PROPERTIES
  COMPILE_DEFINITIONS "SKIFF_SHAPES=\"${CMAKE_CURRENT_LIST_DIR}/shapes\"")
target_link_libraries(compose_test PRIVATE skiff_compose GTest::gtest_main)
# Run by what it tests.
add_dependencies(compose_test skiff-image)
gtest_discover_tests(compose_test TEST_PREFIX compose.)
