// Tests for Catch2 version 3 find version 2 here, under the names that they use.
#pragma once
#include <catch2/catch.hpp>
namespace Catch { namespace Matchers { using Impl::MatcherBase; } }
