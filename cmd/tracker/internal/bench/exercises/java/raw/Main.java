class Main {
    static void check(boolean ok) {
        if (!ok) throw new AssertionError();
    }

    public static void main(String[] args) {
        check(new Calc().add(1, 2) == 3);
        check(new Calc().add(-1, 2) == 1);
        check(new Calc().mean(1, 2, 3) == 2.0);
    }
}
