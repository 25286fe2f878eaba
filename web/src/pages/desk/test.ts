// Testing the stored credentials; the result is kept while the portal is open.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data, type Schemas } from "../../api/client";
import { desk } from "../../api/queries";

const key = ["desk", "test"];

export interface DeskTesting {
  result?: Schemas["DeskTest"];
  busy: boolean;
  error: Error | null;
  run: () => void;
  /** Forgets the result, when the credentials have changed. */
  forget: () => void;
}

export function useDeskTest(): DeskTesting {
  const queries = useQueryClient();
  const last = useQuery<Schemas["DeskTest"] | null>({
    queryKey: key,
    queryFn: () => null,
    enabled: false,
    initialData: null,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  const test = useMutation({
    mutationFn: () => data(api.POST("/api/v1/desk/test")),
    onSuccess: (result) => {
      queries.setQueryData(key, result);
      return queries.invalidateQueries({ queryKey: desk().queryKey, exact: true });
    },
  });
  return {
    result: last.data ?? undefined,
    busy: test.isPending,
    error: test.error,
    run: () => test.mutate(),
    forget: () => queries.setQueryData(key, null),
  };
}
