// What the page and the notice read.
import { queryOptions } from "@tanstack/react-query";
import { api, data } from "../../api/client";

export const usage = () =>
  queryOptions({
    queryKey: ["usage"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/usage", { signal })),
    refetchInterval: 30_000,
  });
