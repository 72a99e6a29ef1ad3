<?php
/**
 * The front page. Title, excerpt and text come from the page set as front page;
 * the plans come from the Turnout plugin.
 *
 * @package TernMobile
 */

namespace TernMobile;

/** How many plans the front page shows. */
const FEATURED_PLANS = 3;

$reasons = array(
	__( 'Leave when you like', 'tern-mobile' )   => __( 'Most plans run month to month. If we no longer suit you, one click ends it.', 'tern-mobile' ),
	__( 'At home abroad', 'tern-mobile' )        => __( 'Every plan has data for travelling. No day passes, no roaming bill.', 'tern-mobile' ),
	__( 'People who pick up', 'tern-mobile' )    => __( 'Call us and a person answers, usually within a minute.', 'tern-mobile' ),
);

$plans = function_exists( 'Turnout\plans' ) ? \Turnout\plans() : null;
// The popular ones first, then the cheapest.
$featured = $plans ?? array();
usort( $featured, static fn( array $a, array $b ): int => $b['popular'] <=> $a['popular'] );
$featured = array_slice( $featured, 0, FEATURED_PLANS );
usort( $featured, static fn( array $a, array $b ): int => $a['price'] <=> $b['price'] );

get_header();
the_post();
?>
<section class="hero">
	<div class="wrap hero__inner">
		<div class="hero__birds">
			<?php
			for ( $bird = 1; $bird <= 3; $bird++ ) {
				get_template_part( 'parts/tern' );
			}
			?>
		</div>
		<div class="hero__text">
			<h1><?php the_title(); ?></h1>
			<?php if ( has_excerpt() ) : ?>
				<p class="lead"><?php echo esc_html( get_the_excerpt() ); ?></p>
			<?php endif; ?>
			<a class="button button--light" href="<?php echo esc_url( path_to( '/plans' ) ); ?>"><?php esc_html_e( 'See plans', 'tern-mobile' ); ?></a>
		</div>
	</div>
</section>
<section class="section" aria-labelledby="featured">
	<div class="wrap">
		<div class="section__head">
			<h2 id="featured"><?php esc_html_e( 'Plans people choose', 'tern-mobile' ); ?></h2>
			<p><a href="<?php echo esc_url( path_to( '/plans' ) ); ?>"><?php esc_html_e( 'Compare all plans', 'tern-mobile' ); ?></a></p>
		</div>
		<?php if ( $featured ) : ?>
			<div class="plan-grid">
				<?php
				foreach ( $featured as $plan ) {
					\Turnout\render( 'plan-card', array( 'plan' => $plan, 'heading' => 3 ) );
				}
				?>
			</div>
		<?php else : ?>
			<p class="notice"><?php esc_html_e( 'Our plans are taking a short break. Please look again in a minute.', 'tern-mobile' ); ?></p>
		<?php endif; ?>
	</div>
</section>
<section class="section section--mist" aria-labelledby="reasons">
	<div class="wrap">
		<h2 id="reasons"><?php esc_html_e( 'Why people stay with Tern', 'tern-mobile' ); ?></h2>
		<ul class="reasons">
			<?php foreach ( $reasons as $title => $text ) : ?>
				<li>
					<h3><?php echo esc_html( $title ); ?></h3>
					<p><?php echo esc_html( $text ); ?></p>
				</li>
			<?php endforeach; ?>
		</ul>
	</div>
</section>
<?php if ( '' !== trim( get_the_content() ) ) : ?>
	<div class="section wrap prose"><?php the_content(); ?></div>
<?php endif; ?>
<?php
get_footer();
