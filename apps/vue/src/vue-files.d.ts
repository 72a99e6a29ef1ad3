/** Tools that do not compile `.vue` files (the linter) see each as some component. */
declare module '*.vue' {
  import type { DefineComponent } from 'vue';

  const component: DefineComponent;
  export default component;
}
