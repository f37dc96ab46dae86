# The judge as a program: our runtime passes, and one that breaks one rule fails one case.
set(judge_tests conformance/attacks_test.cc conformance/faults_test.cc conformance/judge_test.cc conformance/load_test.cc cli/rig.cc)
# What falls to every attack: static, for it is run inside, too.
add_executable(weak_runtime conformance/weak_runtime.cc)
target_link_libraries(weak_runtime PRIVATE skiff_judge)
target_link_options(weak_runtime PRIVATE -static)
# The same among those that unpack images, and those that have docker's commands.
add_executable(weak_unpacker conformance/weak_unpacker.cc)
target_link_libraries(weak_unpacker PRIVATE skiff_judge)
add_executable(weak_compose conformance/weak_compose.cc)
target_link_libraries(weak_compose PRIVATE skiff_judge)
add_executable(judge_test ${judge_tests})
target_compile_definitions(judge_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>"
  SKIFF_JUDGE="$<TARGET_FILE:skiff-conformance>" SKIFF_WEAK_RUNTIME="$<TARGET_FILE:weak_runtime>"
  SKIFF_WEAK_UNPACKER="$<TARGET_FILE:weak_unpacker>" SKIFF_WEAK_COMPOSE="$<TARGET_FILE:weak_compose>")
target_link_libraries(judge_test PRIVATE skiff_judge nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(judge_test skiff skiff-conformance weak_runtime weak_unpacker weak_compose)
gtest_discover_tests(judge_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS program TIMEOUT 240)

add_test(NAME conformance COMMAND skiff-conformance $<TARGET_FILE:skiff>)
set_tests_properties(conformance PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")

# A few points of all, spread evenly; `make reliability` has the rest.
add_test(NAME faults COMMAND skiff-conformance faults --sample 120 $<TARGET_FILE:skiff>)
set_tests_properties(faults PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")

add_test(NAME faults_image COMMAND skiff-conformance faults --sample 60 $<TARGET_FILE:skiff-image>)
set_tests_properties(faults_image PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")

add_test(NAME load COMMAND skiff-conformance load --cycles 200 --crowd 50 --execs 300 --time 5s $<TARGET_FILE:skiff>)
set_tests_properties(load PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")
# What is known to have led out of containers leads nowhere.
add_test(NAME attacks COMMAND skiff-conformance attacks $<TARGET_FILE:skiff>)
set_tests_properties(attacks PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")

add_test(NAME attacks_image COMMAND skiff-conformance attacks $<TARGET_FILE:skiff-image>)
set_tests_properties(attacks_image PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")

add_test(NAME attacks_compose COMMAND skiff-conformance attacks --tries 20 $<TARGET_FILE:skiff-compose>)
set_tests_properties(attacks_compose PROPERTIES LABELS program TIMEOUT 240 SKIP_REGULAR_EXPRESSION "run it as root")
