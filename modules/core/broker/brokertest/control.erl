Do = fun
    (["ready"]) ->
        rabbit:await_startup(node(), false, 80000);
    (["host", Name]) ->
        Host = list_to_binary(Name),
        ok = rabbit_vhost:add(Host, <<"tests">>),
        rabbit_auth_backend_internal:set_permissions(<<"guest">>, Host, <<".*">>, <<".*">>, <<".*">>, <<"tests">>);
    (["drop", Name]) ->
        rabbit_vhost:delete(list_to_binary(Name), <<"tests">>);
    (["alarm", "true"]) ->
        rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []});
    (["alarm", "false"]) ->
        rabbit_alarm:clear_alarm({resource_limit, memory, node()});
    (["save"]) ->
        [ok = dets:sync(Table) || Table <- dets:all()];
    (["disconnect"]) ->
        rabbit_networking:close_connections(rabbit_networking:connections(), "a test says so")
end,
Loop = fun(Again) ->
    case io:get_line("") of
        Line when is_list(Line) ->
            [File | Command] = string:lexemes(Line, " \n"),
            Answer = try io_lib:format("ok ~0p", [Do(Command)])
                catch Class:Reason -> io_lib:format("~p ~0p", [Class, Reason]) end,
            ok = file:write_file(File ++ ".new", unicode:characters_to_binary(Answer)),
            ok = file:rename(File ++ ".new", File),
            Again(Again);
        _ -> erlang:halt(0)
    end
end,
spawn(fun() -> Loop(Loop) end).
