add_executable(spec_test
  ${CMAKE_CURRENT_LIST_DIR}/account_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/base64_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_linux_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_mounts_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_namespaces_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_process_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_resources_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_seccomp_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_sysctl_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/check_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/defaults_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/error_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/features_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/findings_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/image_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/json_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/media_types_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/names_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/parse_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/path_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/print_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/reader_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/state_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/writer_test.cc
)
target_link_libraries(spec_test PRIVATE skiff_spec GTest::gtest_main)
gtest_discover_tests(spec_test TEST_PREFIX spec.)
