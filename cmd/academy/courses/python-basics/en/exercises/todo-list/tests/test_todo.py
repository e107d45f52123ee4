import unittest

from todo import add_task, complete_task, pending, remove_task, summary


class TestTodo(unittest.TestCase):
    def setUp(self):
        self.tasks = []
        self.bread = add_task(self.tasks, "Buy bread")
        self.ida = add_task(self.tasks, "Call Ida")

    def test_tasks_get_ids_from_1_on(self):
        self.assertEqual([self.bread, self.ida], [1, 2])

    def test_a_task_is_a_dictionary_with_id_title_and_done(self):
        self.assertEqual(self.tasks[0], {"id": 1, "title": "Buy bread", "done": False})

    def test_spaces_around_a_title_are_removed(self):
        add_task(self.tasks, "  Rest \n")
        self.assertEqual(self.tasks[-1]["title"], "Rest")

    def test_an_empty_title_is_refused_and_nothing_is_added(self):
        for title in ["", "   "]:
            with self.assertRaises(ValueError):
                add_task(self.tasks, title)
        self.assertEqual(len(self.tasks), 2)

    def test_completed_tasks_are_no_longer_pending(self):
        complete_task(self.tasks, self.bread)
        self.assertEqual(pending(self.tasks), ["Call Ida"])

    def test_completing_twice_is_fine(self):
        complete_task(self.tasks, self.bread)
        complete_task(self.tasks, self.bread)
        self.assertEqual(summary(self.tasks), "1 of 2 done")

    def test_removing_gives_the_title_and_leaves_the_others(self):
        self.assertEqual(remove_task(self.tasks, self.bread), "Buy bread")
        self.assertEqual(pending(self.tasks), ["Call Ida"])

    def test_an_unknown_id_is_a_key_error(self):
        with self.assertRaises(KeyError):
            complete_task(self.tasks, 99)
        with self.assertRaises(KeyError):
            remove_task(self.tasks, 99)

    def test_ids_stay_different_after_removing(self):
        remove_task(self.tasks, self.bread)
        self.assertEqual(add_task(self.tasks, "Water plants"), 3)
        self.assertEqual([task["id"] for task in self.tasks], [2, 3])

    def test_pending_keeps_the_order(self):
        add_task(self.tasks, "Answer mail")
        complete_task(self.tasks, self.ida)
        self.assertEqual(pending(self.tasks), ["Buy bread", "Answer mail"])

    def test_the_summary_counts_what_is_done(self):
        self.assertEqual(summary(self.tasks), "0 of 2 done")
        complete_task(self.tasks, self.bread)
        complete_task(self.tasks, self.ida)
        self.assertEqual(summary(self.tasks), "2 of 2 done")

    def test_an_empty_list_has_nothing_to_do(self):
        self.assertEqual(summary([]), "Nothing to do")

    def test_two_lists_do_not_share_tasks(self):
        other = []
        add_task(other, "Mine")
        self.assertEqual(pending(self.tasks), ["Buy bread", "Call Ida"])
        self.assertEqual(pending(other), ["Mine"])


if __name__ == "__main__":
    unittest.main()
