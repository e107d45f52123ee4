class Calc {
    int add(int a, int b) { return a + b; }

    double mean(int... numbers) {
        int sum = 0;
        for (int n : numbers) sum += n;
        return (double) sum / numbers.length;
    }
}
