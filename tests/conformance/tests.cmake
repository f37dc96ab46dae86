set(conformance_tests
  conformance/catalogue_test.cc
  conformance/command_test.cc
  conformance/report_test.cc
  conformance/tree_test.cc
)
add_executable(conformance_test ${conformance_tests})
# After the judge's own flags: the tests may throw.
set_source_files_properties(${conformance_tests} conformance/attacks_test.cc conformance/faults_test.cc conformance/judge_test.cc conformance/load_test.cc
  PROPERTIES COMPILE_OPTIONS "-fexceptions;-frtti")
target_link_libraries(conformance_test PRIVATE skiff_judge GTest::gtest_main)
gtest_discover_tests(conformance_test)
