// main() of the tests that run in one process.
#include "catch_session.hpp"

int main(int argc, char** argv) { return run_tests(argc, argv); }
