import static org.junit.jupiter.api.Assertions.*;

import org.junit.jupiter.api.Test;

class CalcTest {
    @Test
    void adds() { assertEquals(3, new Calc().add(1, 2)); }

    @Test
    void addsNegative() { assertEquals(1, new Calc().add(-1, 2)); }

    @Test
    void mean() { assertEquals(2.0, new Calc().mean(1, 2, 3)); }
}
