#include <catch2/gt_v3.hpp>
