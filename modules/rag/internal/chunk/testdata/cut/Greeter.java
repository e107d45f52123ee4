package shop;

import java.util.List;

/** Greets. */
public class Greeter {
    private final String name;

    public Greeter(String name) {
        this.name = name;
    }

    @Override
    public String toString() {
        return "Hello {" + name;
    }
}
