<?php
/**
 * The page after its own content.
 *
 * @package TernMobile
 */

namespace TernMobile;

?>
</main>
<footer class="site-footer">
	<div class="wrap site-footer__inner">
		<p><?php bloginfo( 'name' ); ?>. <?php bloginfo( 'description' ); ?></p>
		<p><?php esc_html_e( 'This page is served by WordPress', 'tern-mobile' ); ?></p>
	</div>
</footer>
<?php wp_footer(); ?>
</body>
</html>
