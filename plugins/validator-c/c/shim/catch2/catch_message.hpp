// Tests for Catch2 version 3 find version 2 here.
#include <catch2/catch.hpp>
