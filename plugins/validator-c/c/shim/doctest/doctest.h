// The usual words of doctest, said with Catch2.
#pragma once
#include <catch2/catch.hpp>
#define DOCTEST_VERSION 20409
#define SUBCASE(name) SECTION(name)
#define TEST_SUITE(name) namespace
#define TEST_SUITE_BEGIN(name) static_assert(true, "")
#define TEST_SUITE_END static_assert(true, "")
#define TEST_CASE_FIXTURE(fixture, name) TEST_CASE_METHOD(fixture, name)
#define CHECK_EQ(a, b) CHECK((a) == (b))
#define CHECK_NE(a, b) CHECK((a) != (b))
#define CHECK_LT(a, b) CHECK((a) < (b))
#define CHECK_GT(a, b) CHECK((a) > (b))
#define CHECK_LE(a, b) CHECK((a) <= (b))
#define CHECK_GE(a, b) CHECK((a) >= (b))
#define CHECK_UNARY(a) CHECK(static_cast<bool>(a))
#define CHECK_UNARY_FALSE(a) CHECK_FALSE(static_cast<bool>(a))
#define REQUIRE_EQ(a, b) REQUIRE((a) == (b))
#define REQUIRE_NE(a, b) REQUIRE((a) != (b))
#define REQUIRE_LT(a, b) REQUIRE((a) < (b))
#define REQUIRE_GT(a, b) REQUIRE((a) > (b))
#define REQUIRE_LE(a, b) REQUIRE((a) <= (b))
#define REQUIRE_GE(a, b) REQUIRE((a) >= (b))
#define REQUIRE_UNARY(a) REQUIRE(static_cast<bool>(a))
#define REQUIRE_UNARY_FALSE(a) REQUIRE_FALSE(static_cast<bool>(a))
#define CHECK_MESSAGE(condition, ...) do { INFO(__VA_ARGS__); CHECK(condition); } while (false)
#define REQUIRE_MESSAGE(condition, ...) do { INFO(__VA_ARGS__); REQUIRE(condition); } while (false)
#define MESSAGE(...) UNSCOPED_INFO(__VA_ARGS__)
#define FAST_CHECK_EQ CHECK_EQ
#define FAST_REQUIRE_EQ REQUIRE_EQ
namespace doctest { using Approx = Catch::Detail::Approx; }
