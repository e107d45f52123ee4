package tracker.guest;

import java.util.Collection;
import java.util.Map;

/** Decides whether a submission's own word on equality counts. Submissions see this class alone of the judge's. */
public final class Equal {
    /** Answers of {@link #decide}. */
    private static final int NO = 0, YES = 1, OWN = 2;

    private Equal() { }

    /**
     * What woven equals methods ask first. Objects of one submission may be equal as it says;
     * whether one equals a number, a text or an object of the tests is for those to say.
     */
    public static int decide(Object self, Object other) {
        if (other == null) return NO;
        for (Class<?> c = other.getClass(); c != null; c = c.getSuperclass()) {
            if (c.getProtectionDomain() == self.getClass().getProtectionDomain()) return OWN;
        }
        if (self instanceof Collection || self instanceof Map || self instanceof Map.Entry || other.getClass().isInstance(self)) {
            return other.equals(self) ? YES : NO;
        }
        return NO;
    }
}
